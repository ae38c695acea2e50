"""The words of a text that weighed most towards false: what a person looks at first, never a proof."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from claimwatch.text.fold import fold

#: Named at most, words that stand together as one.
_SHOWN = 4
#: Words that are named in all, together or apart.
_WORDS = 6
#: As the hashed words of the heads are cut: runs of two letters or more.
_WORD = re.compile(r"\b\w\w+\b")


@dataclass(frozen=True, slots=True)
class TowerSay:
    """The tower's side: what each word between blanks adds to falsity, and its share of the say."""

    adds: Sequence[float]
    share: float


@dataclass(frozen=True, slots=True)
class _Word:
    """A word as the text writes it and as the heads see it, and the number of the run between blanks it stands in."""

    written: str
    folded: str
    run: int


def words_that_decided(weights: NDArray[np.float32], text: str, tower: TowerSay | None = None) -> list[str]:
    """The words that add most to falsity, as the text writes them, neighbours together, heaviest first.

    The linear side gives each word its weight among the `weights` [hashed words] and half of each of its pairs'. Both
    sides are measured in shares of all that they add or take away, and count by the say that each has.
    """
    words = list(_words(text))
    adds = _of_one(_linear(weights, [word.folded for word in words]))
    if tower is not None and len(tower.adds) == len(text.split()):
        runs = np.array([tower.adds[word.run] for word in words], np.float64)
        adds = (1 - tower.share) * adds + tower.share * _of_one(runs)
    heaviest = [place for place in np.argsort(-adds, kind="stable")[:_WORDS].tolist() if adds[place] > 0]
    runs_found = sorted(_neighbours(sorted(heaviest)), key=lambda run: -max(adds[place] for place in run))
    named = dict.fromkeys(" ".join(words[place].written for place in run) for run in runs_found)
    return list(named)[:_SHOWN]


def _words(text: str) -> Iterator[_Word]:
    for number, run in enumerate(text.split()):
        written, folded = _WORD.findall(run), _WORD.findall(fold(run))
        shown = written if len(written) == len(folded) else folded
        yield from (_Word(one, plain, number) for one, plain in zip(shown, folded, strict=True))


def _linear(weights: NDArray[np.float32], folded: Sequence[str]) -> NDArray[np.float64]:
    adds = np.array([weights[_place(word, len(weights))] for word in folded], np.float64)
    for first, (word, after) in enumerate(pairwise(folded)):
        half = float(weights[_place(f"{word} {after}", len(weights))]) / 2
        adds[first] += half
        adds[first + 1] += half
    return adds


def _of_one(adds: NDArray[np.float64]) -> NDArray[np.float64]:
    whole = np.abs(adds).sum()
    return adds / whole if whole else adds


def _neighbours(places: Sequence[int]) -> list[list[int]]:
    """Rising numbers in runs without a gap."""
    runs: list[list[int]] = []
    for place in places:
        if runs and runs[-1][-1] == place - 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    return runs


def _place(term: str, size: int) -> int:
    """Where scikit-learn's HashingVectorizer puts a term."""
    from sklearn.utils import murmurhash3_32

    return int(abs(int(murmurhash3_32(term.encode(), 0))) % size)
