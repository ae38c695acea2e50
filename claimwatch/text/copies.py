"""Copies of one post: found by MinHash bands, told apart from answers by the words that differ."""

from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from claimwatch.text.cues import differ_by_cue
from claimwatch.text.fold import fold

__all__ = ["are_copies", "bands", "differ_by_cue", "jaccard"]

_SHINGLE = 3  # words
_BANDS = 16
_ROWS = 3  # per band: two texts of Jaccard .8 share one of 16 bands of 3 rows in 99.999 of 100 cases
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)  # SplitMix64


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's last step: spreads each number over all 64 bits."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * _MIX_1
    numbers = (numbers ^ (numbers >> np.uint64(27))) * _MIX_2
    return numbers ^ (numbers >> np.uint64(31))


#: SplitMix64 from seed 0. Band keys are kept with the posts: another constant would hide every older copy.
_CONSTANTS = _mixed(np.arange(1, 1 + 2 * _BANDS * _ROWS + _SHINGLE, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))
_FACTORS = _CONSTANTS[: _BANDS * _ROWS, None] | np.uint64(1)
_SUMMANDS = _CONSTANTS[_BANDS * _ROWS : 2 * _BANDS * _ROWS, None]
_PLACES = _CONSTANTS[2 * _BANDS * _ROWS :] | np.uint64(1)


def bands(text: str) -> tuple[str, ...]:
    """16 keys, `00:` to `15:` and 10 hex digits; copies share one or more. None for a text without words."""
    words = fold(text).split()
    if not words:
        return ()
    permuted = _shingle_hashes(words) * _FACTORS + _SUMMANDS
    lowest = (permuted >> np.uint64(16)).min(axis=1).reshape(_BANDS, _ROWS)
    keys = _mixed((lowest * _PLACES).sum(axis=1, dtype=np.uint64)) >> np.uint64(24)
    return tuple(f"{band:02d}:{key:010x}" for band, key in enumerate(keys.tolist()))


def jaccard(a: str, b: str) -> float:
    """The share of word triples that two texts have in common, 0 to 1; 0 where one has no words."""
    shingles_a, shingles_b = _shingles(a), _shingles(b)
    together = len(shingles_a | shingles_b)
    return len(shingles_a & shingles_b) / together if together else 0.0


def are_copies(a: str, stance_a: str | None, b: str, stance_b: str | None, threshold: float = 0.8) -> bool:
    """Whether two posts say the same: alike in words, the same stance, and no cue in what differs."""
    return stance_a == stance_b and jaccard(a, b) >= threshold and not differ_by_cue(a, b)


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = fold(text).split()
    if len(words) < _SHINGLE:
        return {(word,) for word in words}
    return set(zip(words, words[1:], words[2:], strict=False))


def _shingle_hashes(words: list[str]) -> NDArray[np.uint64]:
    """One 64-bit number per shingle."""
    hashed = _mixed(np.fromiter((crc32(word.encode()) for word in words), dtype=np.uint64, count=len(words)))
    if len(words) < _SHINGLE:
        return hashed
    return _mixed(hashed[:-2] * _PLACES[0] + hashed[1:-1] * _PLACES[1] + hashed[2:] * _PLACES[2])
