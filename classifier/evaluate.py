"""Figures of a model on labelled rows, each with its bootstrap interval."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from claimwatch.records import Stance
from claimwatch.tuning import wilson
from classifier.rows import Row

Array = NDArray[Any]
#: Resamplings of the bootstrap; rows of one cluster are drawn together.
RESAMPLED = 500
#: The share of posts that a team can look at, for recall at a review load.
LOADS = (0.05, 0.1, 0.2)
_BINS = 10
_SMALLEST_SLICE = 20
_KEYS: Mapping[str, Callable[[Row], str]] = {
    "lang": lambda row: row.lang,
    "slice": lambda row: row.kind,
    "register": lambda row: row.register,
    "lang_slice": lambda row: row.kind and f"{row.lang} {row.kind}",
    "lang_register": lambda row: row.register and f"{row.lang} {row.register}",
}
#: What figures are given apart by: language, kind of post, how it is written, and the last two in each language.
SLICES = tuple(_KEYS)


def evaluate(
    rows: Sequence[Row],
    scores: Sequence[float],
    *,
    threshold: float,
    seed: int = 0,
    stances: Sequence[Stance | None] = (),
    by: Sequence[str] = SLICES,
) -> dict[str, Any]:
    """n, positives, auc, ap, f1, weighted_f1, ece, recall_at and the same by each of `by`, of SLICES.

    With `stances`, as said of each row, also stance_f1: the macro-F1 over the rows whose stance is known. Each figure
    is [value, low, high]: 95% by bootstrap over clusters. Rows without a label are left out; a figure that cannot be
    had (one class only) is null.
    """
    labelled = [(row, score) for row, score in zip(rows, scores, strict=True) if row.positive is not None]
    whole = _figures([row for row, _ in labelled], [score for _, score in labelled], threshold, seed)
    whole["by"] = {name: _sliced(labelled, _KEYS[name], threshold, seed) for name in by}
    told = [(row, said) for row, said in zip(rows, stances, strict=False) if row.stance is not None]
    if told:
        truth, given = np.array([(row.stance, said) for row, said in told], dtype=object).T
        whole["stance_f1"] = _interval(_macro_f1, truth, given, draws([row for row, _ in told], seed))
    return whole


def flag_shares(rows: Sequence[Row], flags: Sequence[bool]) -> dict[str, Any]:
    """Of the rows of each kind, stance and register, how many there are and which share of them is flagged."""
    kinds = {
        "kind": [row.kind for row in rows],
        "stance": [str(row.stance or "") for row in rows],
        "register": [row.register for row in rows],
    }
    return {
        name: {
            one: _share([flag for flag, given in zip(flags, said, strict=True) if given == one])
            for one in sorted(set(said) - {""})
        }
        for name, said in kinds.items()
    }


def gate_shares(rows: Sequence[Row], flags: Sequence[bool], away: Sequence[bool]) -> dict[str, Any]:
    """What the gate would do to rows that were all read: the share turned away, and the recall of positives lost."""
    positive = [row.positive is True for row in rows]
    lost = [flag and gone for flag, gone, true in zip(flags, away, positive, strict=True) if true]
    return {"turned_away": _share(away), "recall_lost": _share(lost)}


def _share(which: Sequence[bool]) -> dict[str, Any]:
    """N and share: [value, low, high], 95% after Wilson (1927); null of none."""
    some, every = sum(which), len(which)
    share = [round(one, 4) for one in (some / every, *wilson(some, every))] if every else None
    return {"n": every, "share": share}


def _macro_f1(truth: Array, given: Array) -> float | None:
    """The mean over the stances that occur of each one's F1."""
    if not len(truth):
        return None
    return float(np.mean([f1(truth == one, given == one) or 0.0 for one in set(truth.tolist())]))


def _sliced(
    labelled: Sequence[tuple[Row, float]], key: Callable[[Row], str], threshold: float, seed: int
) -> dict[str, Any]:
    names = sorted({key(row) for row, _ in labelled} - {""})
    parts = {name: [(row, score) for row, score in labelled if key(row) == name] for name in names}
    return {
        name: _figures([row for row, _ in part], [score for _, score in part], threshold, seed)
        for name, part in parts.items()
        if len(part) >= _SMALLEST_SLICE
    }


def _figures(rows: Sequence[Row], scores: Sequence[float], threshold: float, seed: int) -> dict[str, Any]:
    truth = np.array([bool(row.positive) for row in rows])
    given = np.array(scores, dtype=np.float64)
    drawn = draws(rows, seed)
    figures: Mapping[str, Callable[[Array, Array], float | None]] = {
        "auc": auc,
        "ap": ap,
        "f1": lambda y, s: f1(y, s >= threshold),
        "weighted_f1": lambda y, s: _weighted_f1(y, s >= threshold),
        "ece": ece,
        "flagged": lambda _, s: float((s >= threshold).mean()) if len(s) else None,
    }
    found: dict[str, Any] = {"n": len(rows), "positives": int(truth.sum()), "threshold": threshold}
    found |= {name: _interval(figure, truth, given, drawn) for name, figure in figures.items()}
    found["recall_at"] = {
        str(load): _interval(lambda y, s, load=load: _recall_at(y, s, load), truth, given, drawn)  # type: ignore[misc]
        for load in LOADS
    }
    return found


def draws(rows: Sequence[Row], seed: int, times: int = RESAMPLED) -> list[Array]:
    """Row numbers of each resampling: whole clusters, as many as there are, with replacement."""
    members: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        members.setdefault(row.cluster or row.id, []).append(number)
    clusters = [np.array(numbers) for numbers in members.values()]
    if not clusters:
        return []
    chance = np.random.default_rng(seed)
    picks = (chance.integers(len(clusters), size=len(clusters)) for _ in range(times))
    return [np.concatenate([clusters[place] for place in pick]) for pick in picks]


def _interval(
    figure: Callable[[Array, Array], float | None], truth: Array, given: Array, draws: Sequence[Array]
) -> list[float] | None:
    value = figure(truth, given)
    if value is None:
        return None
    drawn = [again for draw in draws if (again := figure(truth[draw], given[draw])) is not None]
    low, high = np.percentile(drawn, [2.5, 97.5]) if drawn else (value, value)
    return [round(float(one), 4) for one in (value, low, high)]


def auc(truth: Array, given: Array) -> float | None:
    """Area under the ROC curve, ties half; None where a class is missing."""
    from scipy.stats import rankdata

    positives, negatives = int(truth.sum()), int((~truth).sum())
    if not positives or not negatives:
        return None
    ranks = rankdata(given)[truth].sum()
    return float((ranks - positives * (positives + 1) / 2) / (positives * negatives))


def ap(truth: Array, given: Array) -> float | None:
    """Average precision, ties taken together, as scikit-learn has it at a tenth of the time; None without positives."""
    if not truth.any():
        return None
    order = np.argsort(-given, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(given[order])), len(order) - 1)
    hits = np.cumsum(truth[order])[ends]
    return float((np.diff(hits, prepend=0) * hits / (ends + 1)).sum() / hits[-1])


def f1(truth: Array, flagged: Array) -> float | None:
    """F1 of the positive class; None where nothing is positive or flagged."""
    both, either = int((truth & flagged).sum()), int(truth.sum()) + int(flagged.sum())
    return 2 * both / either if either else None


def _weighted_f1(truth: Array, flagged: Array) -> float | None:
    """The F1 of each class, weighted by how many rows it has."""
    if not len(truth):
        return None
    parts = ((f1(truth, flagged) or 0.0, truth.sum()), (f1(~truth, ~flagged) or 0.0, (~truth).sum()))
    return float(sum(value * count for value, count in parts) / len(truth))


def ece(truth: Array, given: Array) -> float | None:
    """Expected calibration error over ten equal bins (Naeini et al. 2015)."""
    if not len(truth):
        return None
    bins = np.minimum((given * _BINS).astype(int), _BINS - 1)
    gaps = [abs(truth[bins == one].mean() - given[bins == one].mean()) * (bins == one).mean() for one in set(bins)]
    return float(sum(gaps))


def _recall_at(truth: Array, given: Array, load: float) -> float | None:
    """The share of positives among the highest-scored `load` of all rows."""
    if not truth.any():
        return None
    looked = np.argsort(-given, kind="stable")[: max(1, round(load * len(given)))]
    return float(truth[looked].sum() / truth.sum())
