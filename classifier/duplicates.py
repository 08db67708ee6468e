"""A fingerprint by which copies of one text are found again: spam waves and one question asked by many."""

from functools import cache, lru_cache
from hashlib import blake2b
from typing import Any

from classifier.text import fold

# One less than 64: it fits a signed column of any database.
BITS = 63
# Of pairs with this many different bits or fewer, nearly all are one text with a word or two changed.
NEAR = 10
# With a key in common chance is out of play, and three trigrams of five may be shared.
NEAR_BY_KEY = 16
_SIZE = 3
SHORTEST = 12
_ROWS, _BANDS = 4, 8
# numpy is imported where it is needed: the desk shows its page before the first text is compared.


@cache
def _factors() -> Any:
    """Odd numbers from a fixed seed: the same text has the same keys in every process and for ever."""
    import numpy as np

    return np.random.default_rng(63).integers(1, 2**63, _ROWS * _BANDS, dtype=np.uint64) * 2 + 1


def fingerprint(text: str) -> int:
    """63 bits of a text (SimHash over its folded character trigrams): like texts differ in few of them.

    Case, punctuation, spaces, digits' values, look-alike letters and repeated letters change nothing. A text
    without letters or digits gives 0, which is near to nothing.
    """
    import numpy as np

    plain = _plain(text)
    if not plain:
        return 0
    grams = _grams(plain)
    hashes = np.array([_hash(gram) for gram in grams], dtype="<u8")
    votes = np.unpackbits(hashes.view(np.uint8), bitorder="little").reshape(-1, 64)[:, :BITS].sum(axis=0)
    return sum(1 << int(place) for place in np.flatnonzero(2 * votes > len(grams))) or 1


def is_near(one: int, other: int, most: int = NEAR) -> bool:
    """Whether two fingerprints are of nearly the same text: at most ``most`` bits differ."""
    return bool(one and other) and (one ^ other).bit_count() <= most


def bands(text: str) -> tuple[int, ...]:
    """Keys that a database can look near copies up by: of two texts that share four trigrams of five, 98 pairs of
    100 share a key, of those that share one of three, one pair in ten.

    MinHash of the folded trigrams, in bands of four. A text of less than SHORTEST letters has none: too many are
    alike without being copies.
    """
    plain = _plain(text)
    if len(plain) < SHORTEST:
        return ()
    import numpy as np

    hashes = np.array([_hash(gram) for gram in _grams(plain)], dtype=np.uint64)
    with np.errstate(over="ignore"):
        least = ((hashes[:, None] * _factors()) ^ (hashes[:, None] >> np.uint64(29))).min(axis=0)
    rows = least.reshape(-1, _ROWS)
    return tuple(
        int.from_bytes(blake2b(bytes([place]) + row.tobytes(), digest_size=8).digest(), "big") >> 1
        for place, row in enumerate(rows)
    )


def _grams(plain: str) -> set[str]:
    padded = f"  {plain} "
    return {padded[at : at + _SIZE] for at in range(len(padded) - _SIZE + 1)}


def _plain(text: str) -> str:
    folded, _ = fold(text[:2_000])
    kept: list[str] = []
    for char in folded:
        if char.isdigit():
            char = "0"
        if char.isalnum() and not (kept and kept[-1] == char):
            kept.append(char)
    return "".join(kept)


@lru_cache(maxsize=20_000)
def _hash(gram: str) -> int:
    return int.from_bytes(blake2b(gram.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
