"""From a model's logit to a probability, per language where there are rows enough.

Platt's line (1999) or an isotonic curve (Zadrozny and Elkan 2002), whichever has the lower log loss on held-out
clusters.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from claimwatch.text.language import language_of

Floats = NDArray[np.float32]
#: A language gets a curve of its own from so many labelled rows, with so many of each label.
_ROWS, _EACH = 200, 50
_FOLDS = 5
#: Knots of an isotonic curve, at most; between them it is straight, so that scores keep their order.
_KNOTS = 32
_EDGE = 1e-3
Curve = Mapping[str, Any]


def calibrated(card: Mapping[str, Any], raw: Floats, texts: Sequence[str]) -> Floats:
    """Probabilities [texts] by the card's curves; models without curves of their languages use one line for all."""
    slope, offset = card.get("calibration", (1.0, 0.0))
    shared = _sigmoid(slope * raw + offset)
    curves: Mapping[str, Curve] = card.get("calibrations", {})
    if not curves:
        return shared
    languages = np.array([language_of(text) for text in texts])
    for language, curve in curves.items():
        own = languages == language
        shared[own] = apply_curve(curve, raw[own])
    return shared


def apply_curve(curve: Curve, raw: Floats) -> Floats:
    """Probabilities by one curve."""
    if curve["kind"] == "platt":
        return _sigmoid(curve["slope"] * raw + curve["offset"])
    return np.asarray(np.interp(raw, curve["from"], curve["to"]), dtype=np.float32)


def fit_curves(
    raw: Floats, positive: NDArray[np.bool_], languages: Sequence[str], clusters: Sequence[str]
) -> dict[str, Curve]:
    """A curve for each language with rows enough, from out-of-fold logits [rows]."""
    named = np.array(languages)
    groups = np.array(clusters)
    curves: dict[str, Curve] = {}
    for language in sorted(set(languages)):
        own = named == language
        truth = positive[own]
        if own.sum() >= _ROWS and min(truth.sum(), (~truth).sum()) >= _EACH:
            curves[language] = _better(raw[own], truth, groups[own])
    return curves


def _better(raw: Floats, truth: NDArray[np.bool_], groups: NDArray[Any]) -> Curve:
    losses = {kind: _held_out_loss(kind, raw, truth, groups) for kind in _FITS}
    kind = min(_FITS, key=lambda one: losses[one])
    return {**_FITS[kind](raw, truth), "held_out_loss": {one: round(loss, 4) for one, loss in losses.items()}}


def _held_out_loss(kind: str, raw: Floats, truth: NDArray[np.bool_], groups: NDArray[Any]) -> float:
    names = sorted(set(groups.tolist()))
    fold_of = {name: place % _FOLDS for place, name in enumerate(np.random.default_rng(0).permutation(names))}
    folds = np.array([fold_of[name] for name in groups])
    total = 0.0
    for fold in range(_FOLDS):
        held = folds == fold
        if held.any() and 0 < truth[~held].sum() < (~held).sum():
            said = np.clip(apply_curve(_FITS[kind](raw[~held], truth[~held]), raw[held]), _EDGE, 1 - _EDGE)
            total -= float(np.where(truth[held], np.log(said), np.log(1 - said)).sum())
    return total / len(truth)


def _platt(raw: Floats, truth: NDArray[np.bool_]) -> dict[str, Any]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1e6).fit(raw.reshape(-1, 1), truth)
    return {"kind": "platt", "slope": float(model.coef_[0, 0]), "offset": float(model.intercept_[0])}


def _isotonic(raw: Floats, truth: NDArray[np.bool_]) -> dict[str, Any]:
    """Steps drawn as a line through the middles of equal shares of the rows: steps would tie most scores."""
    from sklearn.isotonic import IsotonicRegression

    order = np.argsort(raw, kind="stable")
    fitted = IsotonicRegression(y_min=_EDGE, y_max=1 - _EDGE).fit_transform(raw, truth.astype(np.float64))[order]
    parts = np.array_split(np.arange(len(order)), min(_KNOTS, len(order)))
    knots = [(float(raw[order][part].mean()), float(fitted[part].mean())) for part in parts]
    rising = [knot for place, knot in enumerate(knots) if place == 0 or knot[0] > knots[place - 1][0]]
    return {"kind": "isotonic", "from": [round(at, 5) for at, _ in rising], "to": [round(to, 5) for _, to in rising]}


_FITS = {"platt": _platt, "isotonic": _isotonic}


def _sigmoid(values: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * values)), dtype=np.float32)
