"""The words of a text that weighed most towards false: what a person looks at first, never a proof."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from claimwatch.text.fold import fold

#: Named at most.
_SHOWN = 4
#: As the hashed words of the heads are cut: runs of two letters or more.
_WORD = re.compile(r"\b\w\w+\b")


def words_that_decided(weights: NDArray[np.float32], text: str) -> list[str]:
    """The words and pairs whose weights [hashed words] add most to falsity, as the text writes them, heaviest first."""
    folded = _WORD.findall(fold(text))
    written = _WORD.findall(text)
    shown = written if len(written) == len(folded) else folded
    counted = Counter(term for term, _, _ in _terms(folded))
    best: dict[str, tuple[float, int, int]] = {}
    for term, start, stop in _terms(folded):
        if term not in best:
            best[term] = (float(weights[_place(term, len(weights))]) * counted[term], start, stop)
    named: list[str] = []
    taken: set[int] = set()
    for weight, start, stop in sorted(best.values(), key=lambda one: -one[0]):
        if weight <= 0 or len(named) == _SHOWN:
            break
        if not taken & set(range(start, stop)):
            taken |= set(range(start, stop))
            named.append(" ".join(shown[start:stop]))
    return named


def _terms(words: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """Each word and each pair of neighbours, with where it begins and ends."""
    for start, word in enumerate(words):
        yield word, start, start + 1
        if start + 1 < len(words):
            yield f"{word} {words[start + 1]}", start, start + 2


def _place(term: str, size: int) -> int:
    """Where scikit-learn's HashingVectorizer puts a term."""
    from sklearn.utils import murmurhash3_32

    return int(abs(int(murmurhash3_32(term.encode(), 0))) % size)
