"""A cheap look at the words before the encoder reads a post: what is plainly not about health goes no further."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.heads import Floats, Linear, sigmoid, words_of
from classifier.rows import Row
from classifier.train import folds, linear

#: Of the posts that repeat a claim, at most this share may be turned away.
LOST = 0.01
#: A text of fewer words says too little to be judged by them.
_FEW = 4
#: Positives and rows out of scope needed to choose a threshold at all.
_ENOUGH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A logistic regression on hashed words without their diacritics: is this about health?"""

    words: Linear  #: [1, WORDS]
    threshold: float  #: probability below which a text is turned away

    def scores(self, texts: Sequence[str]) -> Floats:
        """The probability of being about health, by the words alone, [texts]; 1 for texts of a few words."""
        found = sigmoid(self.words(words_of(texts))[:, 0])
        found[[len(text.split()) < _FEW for text in texts]] = 1.0
        return found

    def passes(self, scores: Floats) -> NDArray[np.bool_]:
        """Which of these scores the encoder must see."""
        return np.asarray(scores >= self.threshold)


def fit_gate(rows: Sequence[Row], seed: int) -> tuple[Gate, dict[str, Any]] | None:
    """A gate that loses at most LOST of the positives, and its figures; None where the rows do not tell.

    The threshold is chosen on folds that share no claim: on posts of claims that the words were not taught.
    """
    scope = np.array([row.in_scope is not False for row in rows])
    positive = np.array([bool(row.positive) for row in rows])
    if min((~scope).sum(), positive.sum()) < _ENOUGH:
        return None
    features, inside = words_of([row.text for row in rows]), scope.tolist()
    seen = np.zeros(len(rows), np.float32)
    for held in folds(rows, seed):
        kept = np.setdiff1d(np.arange(len(rows)), held)
        words = linear(features[kept], [inside[number] for number in kept], seed)
        if words is None:
            return None
        seen[held] = sigmoid(words(features[held])[:, 0])
    long = np.array([len(row.text.split()) >= _FEW for row in rows])
    threshold = round(float(np.quantile(seen[positive & long], LOST)) - 5e-5, 4)
    turned = (seen < threshold) & long
    kinds = sorted({row.kind for row in rows} - {""})
    shares = {kind: _share(turned[[row.kind == kind for row in rows]]) for kind in kinds}
    figures = {"threshold": threshold, "recall_kept": 1 - _share(turned[positive]), "turned_away": shares}
    words = linear(features, inside, seed)
    return (Gate(words=words, threshold=threshold), figures) if words else None


def _share(which: NDArray[np.bool_]) -> float:
    return round(float(which.mean()), 4)
