"""A cheap look at a post before the encoder reads it: what is plainly not about health goes no further."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.heads import Floats, Linear, sigmoid, terms_of
from classifier.rows import Row
from classifier.train import STRENGTH, fitted, folds

#: How much of the model's recall of repeated claims may be lost at the gate.
LOST = 0.01
#: A text of fewer words says too little to be judged by them.
_FEW = 4
#: Positives and rows out of scope needed to choose a threshold at all.
_ENOUGH = 100


#: How much the glance weighs beside words and letters, each of length 1.
_GLANCE_WEIGHT = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Teacher:
    """What the model says of the rows that its gate is fitted on."""

    scope: Floats  #: [rows] its probability that the text is about health
    #: Of the rows that it has not learnt, by number, whether it flags them; None: it has learnt them all.
    flagged: Mapping[int, bool] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A logistic regression on the encoder's glance, hashed words and runs of letters: might this be about health?

    Distilled: it is taught what the whole model says of a text (Hinton et al. 2015), not the text's label.
    """

    linear: Linear  #: [1, dimensions + WORDS + LETTERS]
    idf: Floats  #: how rare each word and run of letters is
    threshold: float  #: probability below which a text is turned away

    def scores(self, texts: Sequence[str], glances: Floats) -> Floats:
        """The probability of being about health, every claim and denial weighing alike [texts]; 1 for a few words.

        `glances` are the texts' [texts, dimensions] by `Encoder.glance`.
        """
        found = sigmoid(self.linear(_features(texts, glances, self.idf))[:, 0])
        found[[len(text.split()) < _FEW for text in texts]] = 1.0
        return found

    def passes(self, scores: Floats) -> NDArray[np.bool_]:
        """Which of these scores the encoder must see."""
        return np.asarray(scores >= self.threshold)


def fit_gate(
    rows: Sequence[Row], glances: Floats, idf: Floats, seed: int, teacher: Teacher
) -> tuple[Gate, dict[str, Any]] | None:
    """A gate that loses at most LOST of the recall, and its figures; None where the rows do not tell.

    It is taught the teacher's probabilities of being about health. The threshold is chosen on folds that share no
    claim: on posts of claims that it was not taught. What the teacher does not flag is not lost; where that is not
    known, every repeated claim counts.
    """
    positive = np.array([bool(row.positive) for row in rows])
    if min(sum(row.in_scope is False for row in rows), positive.sum()) < _ENOUGH:
        return None
    features = _features([row.text for row in rows], glances, idf)
    weights = np.array([row.weight for row in rows])
    seen = np.zeros(len(rows), np.float32)
    for held in folds(rows, seed):
        kept = np.setdiff1d(np.arange(len(rows)), held)
        seen[held] = sigmoid(_distilled(features[kept], teacher.scope[kept], weights[kept])(features[held])[:, 0])
    seen[[len(row.text.split()) < _FEW for row in rows]] = 1.0
    caught, repeats = positive, positive
    if teacher.flagged is not None:
        caught = positive & [teacher.flagged.get(number, False) for number in range(len(rows))]
        repeats = positive & [number in teacher.flagged for number in range(len(rows))]
    threshold = _threshold(seen[caught], int(LOST * repeats.sum()))
    kinds = sorted({row.kind for row in rows} - {""})
    turned = seen < threshold
    shares = {kind: _share(turned[[row.kind == kind for row in rows]]) for kind in kinds}
    figures = {"threshold": threshold, "recall_lost": round(float((turned & caught).sum() / repeats.sum()), 4)}
    gate = Gate(linear=_distilled(features, teacher.scope, weights), idf=idf, threshold=threshold)
    return gate, {**figures, "turned_away": shares}


def _distilled(features: Any, scope: Floats, weights: NDArray[np.float64]) -> Linear:
    """A logistic regression whose probabilities follow `scope` [rows].

    Each row is learnt as about health and as not, either one weighing as much as the teacher believes it.
    """
    from scipy import sparse
    from sklearn.linear_model import LogisticRegression

    labels = np.repeat([1, 0], len(scope))
    believed = np.concatenate([scope * weights, (1 - scope) * weights])
    model = LogisticRegression(C=STRENGTH, max_iter=2000)
    return fitted(model, sparse.vstack([features, features], format="csr"), labels, believed)


def _threshold(caught: Floats, lost: int) -> float:
    """Just below the lowest score that must pass when the `lost` lowest need not."""
    ordered = np.sort(caught)
    return round(float(ordered[min(lost, len(ordered) - 1)]) - 5e-5, 4) if len(ordered) else 0.0


def _features(texts: Sequence[str], glances: Floats, idf: Floats) -> Any:
    """Glance, hashed words and hashed letters side by side, sparse [texts, dimensions + WORDS + LETTERS]."""
    from scipy import sparse

    lead = sparse.csr_matrix(glances * _GLANCE_WEIGHT)
    return sparse.hstack([lead, *terms_of(texts, idf)], format="csr", dtype=np.float32)


def _share(which: NDArray[np.bool_]) -> float:
    return round(float(which.mean()), 4)
