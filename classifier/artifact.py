"""What training leaves on disk: one .npz of plain arrays, named and sealed by its SHA-256 in manifest.json.

Plain arrays were chosen over a skops file: nothing in the file can name a class, answering needs neither
scikit-learn nor its version, and the folded calibration is ours, not an estimator's. What an sklearn version
would guard is guarded by the recipe: the features' number, the hash of the pattern table, the encoder of meaning.
"""

import hashlib
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier import meaning, patterns
from classifier.features import RECIPE
from classifier.labels import LABELS, SECONDARY, ClassifierError
from classifier.phrases import signal_names
from classifier.signal_files import signal_sources

MANIFEST = "manifest.json"
KEPT = 10
"""So many versions can be had back."""


@dataclass(frozen=True)
class Thresholds:
    """What was measured on held-out groups: see `classifier.calibration`."""

    sure: float
    tie: float
    gate: float
    secondary: tuple[float, ...]


@dataclass(frozen=True)
class Artifact:
    """The trained model: `weights` is (features, labels + secondary labels), `bias` one number a column.

    `dense` holds the weights of the meaning vector, (`meaning.width()`, labels + secondary labels); `alarms`,
    `alarm_bias` and the names of the `evidence` are those of the signals, see `classifier.alarms`.
    """

    names: list[str]
    idf: NDArray[np.float32]
    weights: NDArray[np.float32]
    dense: NDArray[np.float32]
    bias: NDArray[np.float64]
    thresholds: Thresholds
    alarms: NDArray[np.float32]  # (features, meaning and evidence; signals)
    alarm_bias: NDArray[np.float64]
    evidence: list[str]


def recipe() -> str:
    """Names what an artifact depends on besides itself; another recipe needs another training."""
    return f"{RECIPE}-{patterns.fingerprint()[:12]}-{_signals()[:12]}-{meaning.encoder()}"


@cache
def _signals() -> str:
    """SHA-256 of what the signals are learned from: their thresholds were measured beside these phrases."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in signal_sources())).hexdigest()


def write(artifact: Artifact, folder: Path, facts: Mapping[str, object]) -> None:
    """Store the artifact, then the manifest that names it; a reader sees the old pair or the new one."""
    buffer = io.BytesIO()
    limits = artifact.thresholds
    np.savez_compressed(
        buffer,
        names=_packed(artifact.names),
        idf=artifact.idf,
        weights=artifact.weights,
        dense=artifact.dense,
        bias=artifact.bias,
        alarms=artifact.alarms,
        alarm_bias=artifact.alarm_bias,
        evidence=_packed(artifact.evidence),
        thresholds=np.array([limits.sure, limits.tie, limits.gate, *limits.secondary]),
    )
    content = buffer.getvalue()
    digest = hashlib.sha256(content).hexdigest()
    name = f"labels-{digest[:12]}.npz"
    manifest = {"artifact": name, "sha256": digest, "recipe": recipe(), **facts}
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / name, content)
    told = json.dumps(manifest, ensure_ascii=False, indent=2).encode()
    _replace(folder / f"manifest-{digest[:12]}.json", told)
    _replace(folder / MANIFEST, told)


def versions(folder: Path) -> list[str]:
    """The versions that can be had back, the newest first."""
    kept = sorted(folder.glob("manifest-*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    named = [path.stem.removeprefix("manifest-") for path in kept]
    return [version for version in named if (folder / f"labels-{version}.npz").exists()]


def facts_of(folder: Path, version: str | None = None) -> dict[str, Any]:
    """The manifest of a version, of the one in use by default. Raises ClassifierError."""
    try:
        name = MANIFEST if version is None else f"manifest-{version}.json"
        facts: dict[str, Any] = json.loads((folder / name).read_bytes())
    except (OSError, ValueError) as error:
        raise ClassifierError("missing", str(error)) from error
    return facts


def promote(folder: Path, version: str, *, source: Path | None = None) -> None:
    """Makes a version the one in use; ``source``: the folder it was trained in. Raises ClassifierError."""
    home = source or folder
    told = facts_of(home, version)
    name = Path(str(told["artifact"])).name
    if source is not None:
        _replace(folder / name, (source / name).read_bytes())
        _replace(folder / f"manifest-{version}.json", (source / f"manifest-{version}.json").read_bytes())
    _replace(folder / MANIFEST, (folder / f"manifest-{version}.json").read_bytes())
    for old in versions(folder)[KEPT:]:
        if old != version:
            (folder / f"labels-{old}.npz").unlink(missing_ok=True)
            (folder / f"manifest-{old}.json").unlink(missing_ok=True)


def load(folder: Path) -> tuple[Artifact, str]:
    """The artifact that the manifest in `folder` names, and its SHA-256. Raises ClassifierError."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        name, digest, made_by = manifest["artifact"], manifest["sha256"], manifest["recipe"]
        # A manifest is not a way to read files elsewhere.
        content = (folder / Path(name).name).read_bytes()
    except OSError as error:
        raise ClassifierError("missing", str(error)) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ClassifierError("hash", f"{MANIFEST}: {error!r}") from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise ClassifierError("hash", name)
    if made_by != recipe():
        raise ClassifierError("version", f"made by {made_by}, this is {recipe()}")
    return _unpack(content, name), digest


def _unpack(content: bytes, name: str) -> Artifact:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            names, evidence = _unpacked(arrays["names"]), _unpacked(arrays["evidence"])
            sure, tie, gate, *secondary = (float(number) for number in arrays["thresholds"])
            idf, weights, bias, dense = (arrays[key] for key in ("idf", "weights", "bias", "dense"))
            alarms, alarm_bias = arrays["alarms"], arrays["alarm_bias"]
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ClassifierError("hash", f"{name}: {error}") from error
    columns = len(LABELS) + len(SECONDARY)
    shapes = (idf.shape, weights.shape, dense.shape, bias.shape, len(secondary), alarms.shape, alarm_bias.shape)
    signals = len(signal_names())
    wanted = (
        (len(names),), (len(names), columns), (meaning.width(), columns), (columns,), len(SECONDARY),
        (len(names) + meaning.width() + len(evidence), signals), (signals,),
    )  # fmt: skip
    if shapes != wanted:
        raise ClassifierError("hash", f"{name}: shapes {shapes}")
    # One text gathers a few hundred rows: they must lie together in memory.
    weights, alarms = (np.ascontiguousarray(table, dtype=np.float32) for table in (weights, alarms))
    return Artifact(
        names,
        idf,
        weights,
        dense,
        bias,
        Thresholds(sure, tie, gate, tuple(secondary)),
        alarms,
        alarm_bias,
        evidence,
    )


def _packed(names: list[str]) -> NDArray[np.uint8]:
    return np.frombuffer("\n".join(names).encode("utf-8", "surrogatepass"), dtype=np.uint8)


def _unpacked(packed: NDArray[np.uint8]) -> list[str]:
    return packed.tobytes().decode("utf-8", "surrogatepass").split("\n")


def _replace(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
