"""A cheap look at a post before the encoder reads it: what is plainly not about health goes no further."""

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


#: How much the glance weighs beside the words, both of length 1.
_GLANCE_WEIGHT = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A logistic regression on the encoder's glance and hashed words without diacritics: might this repeat a claim?"""

    linear: Linear  #: [1, dimensions + WORDS]
    threshold: float  #: probability below which a text is turned away

    def scores(self, texts: Sequence[str], glances: Floats) -> Floats:
        """The probability of a repeated claim rather than of other talk, [texts]; 1 for texts of a few words.

        `glances` are the texts' [texts, dimensions] by `Encoder.glance`.
        """
        found = sigmoid(self.linear(_features(texts, glances))[:, 0])
        found[[len(text.split()) < _FEW for text in texts]] = 1.0
        return found

    def passes(self, scores: Floats) -> NDArray[np.bool_]:
        """Which of these scores the encoder must see."""
        return np.asarray(scores >= self.threshold)


def fit_gate(rows: Sequence[Row], glances: Floats, seed: int) -> tuple[Gate, dict[str, Any]] | None:
    """A gate that loses at most LOST of the positives, and its figures; None where the rows do not tell.

    It is taught repeated claims against what is not about health: other health posts may go either way. The threshold
    is chosen on folds that share no claim: on posts of claims that it was not taught.
    """
    scope = np.array([row.in_scope is not False for row in rows])
    positive = np.array([bool(row.positive) for row in rows])
    if min((~scope).sum(), positive.sum()) < _ENOUGH:
        return None
    features = _features([row.text for row in rows], glances)
    taught = [bool(row.positive) if row.positive or row.in_scope is False else None for row in rows]
    seen = np.zeros(len(rows), np.float32)
    for held in folds(rows, seed):
        kept = np.setdiff1d(np.arange(len(rows)), held)
        apart = linear(
            features[kept], [taught[number] for number in kept], seed, [rows[number].weight for number in kept]
        )
        if apart is None:
            return None
        seen[held] = sigmoid(apart(features[held])[:, 0])
    long = np.array([len(row.text.split()) >= _FEW for row in rows])
    threshold = round(float(np.quantile(seen[positive & long], LOST)) - 5e-5, 4)
    turned = (seen < threshold) & long
    kinds = sorted({row.kind for row in rows} - {""})
    shares = {kind: _share(turned[[row.kind == kind for row in rows]]) for kind in kinds}
    figures = {"threshold": threshold, "recall_kept": 1 - _share(turned[positive]), "turned_away": shares}
    every = linear(features, taught, seed, [row.weight for row in rows])
    return (Gate(linear=every, threshold=threshold), figures) if every else None


def _features(texts: Sequence[str], glances: Floats) -> Any:
    """Glance and hashed words side by side, sparse [texts, dimensions + WORDS]."""
    from scipy import sparse

    return sparse.hstack([sparse.csr_matrix(glances * _GLANCE_WEIGHT), words_of(texts)], format="csr", dtype=np.float32)


def _share(which: NDArray[np.bool_]) -> float:
    return round(float(which.mean()), 4)
