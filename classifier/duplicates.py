"""A fingerprint by which copies of one text are found again: spam waves and one question asked by many."""

from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise

import numpy as np

from classifier.text import fold

# One less than 64: it fits a signed column of any database.
BITS = 63
# Of pairs with this many different bits or fewer, nearly all are one text with a word or two changed.
NEAR = 10
_SIZE = 3


def fingerprint(text: str) -> int:
    """63 bits of a text (SimHash over its folded character trigrams): like texts differ in few of them.

    Case, punctuation, spaces, digits' values, look-alike letters and repeated letters change nothing. A text
    without letters or digits gives 0, which is near to nothing.
    """
    plain = _plain(text)
    if not plain:
        return 0
    padded = f"  {plain} "
    grams = {padded[at : at + _SIZE] for at in range(len(padded) - _SIZE + 1)}
    hashes = np.array([_hash(gram) for gram in grams], dtype="<u8")
    votes = np.unpackbits(hashes.view(np.uint8), bitorder="little").reshape(-1, 64)[:, :BITS].sum(axis=0)
    return sum(1 << int(place) for place in np.flatnonzero(2 * votes > len(grams))) or 1


def is_near(one: int, other: int) -> bool:
    """Whether two fingerprints are of nearly the same text."""
    return bool(one and other) and (one ^ other).bit_count() <= NEAR


def bands(mark: int) -> tuple[int, ...]:
    """Eleven keys of which two near fingerprints share at least one: what a database can look up.

    Ten bits that differ cannot lie in all eleven bands.
    """
    width = BITS // (NEAR + 1)
    cuts = [*range(0, width * NEAR, width), width * NEAR, BITS]
    return tuple(
        place << 32 | (mark >> low & (1 << high - low) - 1) for place, (low, high) in enumerate(pairwise(cuts))
    )


def _plain(text: str) -> str:
    folded, _ = fold(text[:2_000])
    kept: list[str] = []
    for char in folded:
        if char.isdigit():
            char = "0"
        if char.isalnum() and not (kept and kept[-1] == char):
            kept.append(char)
    return "".join(kept)


@lru_cache(maxsize=50_000)
def _hash(gram: str) -> int:
    return int.from_bytes(blake2b(gram.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
