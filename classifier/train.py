"""Fits the heads on labelled rows over the frozen encoder's vectors. No torch."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from claimwatch.errors import ConfigError
from claimwatch.text.language import language_of
from classifier.calibration import calibrated, fit_curves
from classifier.evaluate import evaluate
from classifier.heads import STANCES, Floats, Heads, Linear, features_of, idf_of, raw_false
from classifier.model_card import brief
from classifier.rows import Row

#: Inverse regularisation of every linear model; 4 and 10 did alike in cross-validation on the corpus and on ReINTEL.
STRENGTH = 8.0
_FOLDS = 5


def train_heads(
    rows: Sequence[Row], vectors: Floats, *, seed: int, progress: Callable[[int], None] = lambda _: None
) -> Heads:
    """Heads fitted on all rows; calibration and threshold from folds that share no claim or cluster."""
    _check(rows)
    idf = idf_of([row.text for row in rows])
    features = features_of(vectors, [row.text for row in rows], idf)
    out_of_fold, known = _out_of_fold(rows, features, seed, progress)
    held = [row for row, is_known in zip(rows, known, strict=True) if is_known]
    heads = _fit(rows, features, seed)
    progress(1)
    about = {"rows": len(rows), "positives": sum(bool(row.positive) for row in held), "seed": seed}
    return replace(heads, idf=idf, card=calibration_card(held, out_of_fold) | about)


def linear_heads(rows: Sequence[Row], vectors: Floats, *, seed: int) -> Heads:
    """Heads fitted on all rows, without calibration or card."""
    _check(rows)
    idf = idf_of([row.text for row in rows])
    return replace(_fit(rows, features_of(vectors, [row.text for row in rows], idf), seed), idf=idf)


def calibration_card(rows: Sequence[Row], raw: Floats) -> dict[str, Any]:
    """Calibration, thresholds and figures from logits [rows] by a model that has not learnt these labelled rows."""
    positive = np.array([bool(row.positive) for row in rows])
    texts = [row.text for row in rows]
    slope, offset = _calibration(raw, positive)
    curves = fit_curves(raw, positive, [language_of(text) for text in texts], [row.cluster for row in rows])
    card: dict[str, Any] = {"calibration": [slope, offset], "calibrations": curves}
    p_false = calibrated(card, raw, texts)
    card |= {"threshold": _threshold(p_false, positive), "scope_threshold": 0.5}
    figures = evaluate(rows, p_false.tolist(), threshold=card["threshold"], by=["lang"])
    return card | {"held_out": brief(figures)}


def folds(rows: Sequence[Row], seed: int, count: int = _FOLDS) -> list[NDArray[np.int64]]:
    """Row numbers of each held-out fold; rows of one claim or cluster stay together."""
    groups = sorted({row.cluster for row in rows})
    order = np.random.default_rng(seed).permutation(len(groups))
    fold_of = {groups[place]: number % count for number, place in enumerate(order)}
    assigned = np.array([fold_of[row.cluster] for row in rows])
    return [np.flatnonzero(assigned == number) for number in range(count)]


def _check(rows: Sequence[Row]) -> None:
    labels = {row.positive for row in rows}
    if not {True, False} <= labels:
        raise ConfigError("training needs rows with positive true and rows with positive false")
    if len({row.cluster for row in rows}) < _FOLDS:
        raise ConfigError(f"training needs rows of at least {_FOLDS} claims or clusters")


def _out_of_fold(
    rows: Sequence[Row], features: Any, seed: int, progress: Callable[[int], None]
) -> tuple[Floats, NDArray[np.bool_]]:
    """Which rows are labelled, and their raw logits by heads that have not seen their claim."""
    raw = np.full(len(rows), np.nan, dtype=np.float32)
    for held in folds(rows, seed):
        kept = np.setdiff1d(np.arange(len(rows)), held)
        if len(held) and {rows[i].positive for i in kept} >= {True, False}:
            raw[held] = raw_false(_fit([rows[i] for i in kept], features[kept], seed), features[held])[0]
        progress(1)
    known = np.array([row.positive is not None for row in rows]) & ~np.isnan(raw)
    return raw[known], known


def _fit(rows: Sequence[Row], features: Any, seed: int) -> Heads:
    """Falsity is learnt within the scope, scope apart: of a political post only the second has a say."""
    weights = [row.weight for row in rows]
    scope = linear(features, [row.in_scope for row in rows], seed, weights)
    inside = [row.positive if row.in_scope is not False else None for row in rows]
    false = linear(features, inside, seed, weights)
    if false is None:
        raise ConfigError("training needs both true and false posts within the scope")
    stances = [STANCES.index(row.stance) if row.stance else None for row in rows]
    stance = linear(features, stances, seed, weights, many=True)
    return Heads(false=false, scope=scope, stance=stance)


def linear(
    features: Any, labels: Sequence[int | None], seed: int, weights: Sequence[float], *, many: bool = False
) -> Linear | None:
    """A logistic regression on the rows whose label is known; None where they are all alike.

    Every label counts alike, however rare; among its rows they count by `weights`. `many`: one output per stance, else
    one in all.
    """
    from sklearn.linear_model import LogisticRegression

    known = np.array([number for number, label in enumerate(labels) if label is not None], dtype=np.int64)
    values = np.array([int(labels[number] or 0) for number in known])
    if len(set(values.tolist())) < 2:
        return None
    model = LogisticRegression(C=STRENGTH, max_iter=2000, class_weight="balanced", random_state=seed)
    found = fitted(model, features[known], values, np.asarray(weights)[known])
    return _all_stances(model.classes_, found.weights, found.bias) if many else found


def fitted(model: Any, features: Any, labels: NDArray[np.int64], weights: Any) -> Linear:
    """What a linear model of scikit-learn learns from sparse features.

    Fitted without the columns that no row has: they get weight 0 anyway, and most have none.
    """
    used = np.unique(features.indices)
    model.fit(features[:, used], labels, sample_weight=weights)
    found = np.zeros((len(model.coef_), features.shape[1]), np.float32)
    found[:, used] = model.coef_
    return Linear(found, model.intercept_.astype(np.float32))


def _all_stances(classes: Any, weights: Floats, bias: Floats) -> Linear:
    """One output per stance; a stance that no row has never wins."""
    full = np.zeros((len(STANCES), weights.shape[1]), dtype=np.float32)
    offsets = np.full(len(STANCES), -1e4, dtype=np.float32)
    if len(classes) == 2:
        weights, bias = np.vstack([-weights, weights]), np.concatenate([-bias, bias])
    full[classes], offsets[classes] = weights, bias
    return Linear(full, offsets)


def _calibration(raw: Floats, positive: NDArray[np.bool_]) -> tuple[float, float]:
    """Platt scaling (Platt 1999) of the out-of-fold logits: slope and offset."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1e6).fit(raw.reshape(-1, 1), positive)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def _threshold(calibrated: Floats, positive: NDArray[np.bool_]) -> float:
    """The probability from which flagging gives the best F1 on rows of unseen claims, to two digits."""
    from sklearn.metrics import f1_score

    grid = np.arange(0.05, 0.96, 0.01)
    best = max(grid, key=lambda at: (f1_score(positive, calibrated >= at), at))
    return round(float(best), 2)
