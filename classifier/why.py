"""The words of a text that weighed most towards false: what a person looks at first, never a proof."""

import re
from collections.abc import Sequence
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
#: What a word as it is written may have around it.
_ENDS = re.compile(r"^\W+|\W+$")


@dataclass(frozen=True, slots=True)
class TowerSay:
    """The tower's side: what each word between blanks adds to falsity, and its share of the say."""

    adds: Sequence[float]
    share: float


@dataclass(frozen=True, slots=True)
class _Word:
    """A word as the heads see it, and the number of the run between blanks that it stands in."""

    folded: str
    run: int


def words_that_decided(weights: NDArray[np.float32], text: str, tower: TowerSay | None = None) -> list[str]:
    """The words that add most to falsity, as the text writes them, neighbours together, heaviest first.

    The linear side gives each word its weight among the `weights` [hashed words] and half of each of its pairs'. Both
    sides are measured in shares of all that they add or take away, and count by the say that each has.
    """
    runs = text.split()
    words = [_Word(one, number) for number, run in enumerate(runs) for one in _WORD.findall(fold(run))]
    adds = _of_one(_linear(weights, [word.folded for word in words]))
    if tower is not None and len(tower.adds) == len(runs):
        by_run = np.array([tower.adds[word.run] for word in words], np.float64)
        adds = (1 - tower.share) * adds + tower.share * _of_one(by_run)
    heaviest = [place for place in np.argsort(-adds, kind="stable")[:_WORDS].tolist() if adds[place] > 0]
    best: dict[int, float] = {}
    for place in heaviest:
        best.setdefault(words[place].run, float(adds[place]))
    together = sorted(_together(runs, sorted(best)), key=lambda part: -max(best[number] for number in part))
    named = dict.fromkeys(_ENDS.sub("", " ".join(runs[number] for number in part)) for part in together)
    return list(named)[:_SHOWN]


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


def _together(runs: Sequence[str], numbers: Sequence[int]) -> list[list[int]]:
    """Rising numbers of runs in parts that stand side by side, without a stop between."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][-1] == number - 1 and runs[number - 1][-1].isalnum():
            parts[-1].append(number)
        else:
            parts.append([number])
    return parts


def _place(term: str, size: int) -> int:
    """Where scikit-learn's HashingVectorizer puts a term."""
    from sklearn.utils import murmurhash3_32

    return int(abs(int(murmurhash3_32(term.encode(), 0))) % size)
