"""Training from rows to a model that can be served: vectors, heads, a tower where wanted, limits, card."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from claimwatch.errors import ConfigError
from claimwatch.records import Claim, Stance
from claimwatch.tuning import wilson
from classifier.adapter import CHECKPOINT, save_adapter
from classifier.augment import altered
from classifier.calibration import calibrated
from classifier.encoder import Encoder
from classifier.evaluate import ap, draws
from classifier.gate import fit_gate
from classifier.graph import read_layers
from classifier.heads import (
    Floats,
    Heads,
    blend,
    features_of,
    joint,
    lead_of,
    load_heads,
    logits_of,
    save_heads,
)
from classifier.limits import choose_limits, claim_lens
from classifier.remembered import remembered
from classifier.rows import Row
from classifier.train import calibration_card, folds, linear_heads, train_heads

if TYPE_CHECKING:
    from classifier.finetune import Recipe, Tuned

Advance = Callable[[int], None]
#: Of the posts out of scope at most this share may be flagged, if a scope threshold up to the second number does it.
_STRAY, _STRICTEST = 0.01, 0.9
#: Of the refutations at most this share should be flagged, if one of these leads does it that gives up at most the
#: second share of the repeats that were flagged without.
_DENIALS, _GIVEN_UP = 0.03, 0.25
_LEADS = tuple(np.arange(0.0, 3.01, 0.1))
#: Of so many parts one is held out.
_PARTS = 8
#: How much of the mean of tower and linear heads may be the tower's.
_SHARES = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What to train on, and under which name."""

    rows: Sequence[Row]
    claims: Sequence[Claim]
    seed: int
    version: str
    about: Mapping[str, Any] = field(default_factory=dict)  #: for the card: what the rows were


def train_model(encoder: Encoder, wanted: Training, progress: Advance = lambda _: None) -> Heads:
    """Heads on the frozen encoder, with a card that names version, encoder, thresholds and data."""
    vectors = encoder.encode([row.text for row in wanted.rows], progress)
    return _described(encoder, wanted, vectors, train_heads(wanted.rows, vectors, seed=wanted.seed, progress=progress))


def can_tune() -> bool:
    """Whether what fine-tuning needs is installed here."""
    return all(find_spec(name) for name in ("torch", "transformers", "peft"))


def tune_model(
    encoder: Encoder, wanted: Training, folder: Path, recipe: "Recipe", progress: Advance = lambda _: None
) -> Heads:
    """As `train_model`, and fine-tuned: the tower's adapter is left in the folder. Goes on where it was stopped."""
    from classifier.finetune import Lesson, Tuner

    held = held_out(wanted.rows, wanted.seed)
    texts = [row.text for row in wanted.rows]
    vectors, states = encoder.fork(texts, recipe.longest, progress, at=recipe.fed)
    twins = _altered(wanted)
    twin_vectors, twin_states = encoder.fork([row.text for row in twins], recipe.longest, progress, at=recipe.fed)
    lesson = Lesson(rows=wanted.rows, states=states, twins=twin_states, held=held)
    weights = read_layers(encoder.float32, encoder.shape, recipe.start(encoder.shape.layers))
    tuner = Tuner(lesson, weights, encoder.shape, recipe=recipe, seed=wanted.seed, folder=folder)
    tuned = tuner.run(progress)
    both = np.concatenate([vectors, twin_vectors])
    heads = linear_heads([*wanted.rows, *twins], both, seed=wanted.seed)
    card, flagged = _tuned_card(wanted, twins, both, held, tuned)
    save_adapter(tuned.adapter, folder)
    judged = dict(zip(held.tolist(), flagged.tolist(), strict=True))
    return _described(encoder, wanted, vectors, replace(heads, card=card), judged)


def relearn(encoder: Encoder, wanted: Training, teacher: Path, progress: Advance = lambda _: None) -> Heads:
    """New linear heads beside the tower in another model's folder; its share, calibration and thresholds stay.

    Needs no torch. The caller copies the adapter.
    """
    old = load_heads(teacher)
    every = [*wanted.rows, *_altered(wanted)]
    vectors = encoder.encode([row.text for row in every], progress)
    heads = linear_heads(every, vectors, seed=wanted.seed)
    kept = ("calibration", "calibrations", "threshold", "scope_threshold", "lead", "tower")
    card = {name: old.card[name] for name in kept if name in old.card} | {
        "rows": len(wanted.rows),
        "positives": sum(bool(row.positive) for row in wanted.rows),
        "seed": wanted.seed,
        "tower_of": str(old.card["version"]),
    }
    return _described(encoder, wanted, vectors[: len(wanted.rows)], replace(heads, card=card))


def save_model(heads: Heads, folder: Path) -> None:
    """Heads and card beside the adapter. ConfigError where the folder cannot be written."""
    try:
        save_heads(heads, folder)
        (folder / CHECKPOINT).unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written ({error.strerror}): name another folder") from error


def held_out(rows: Sequence[Row], seed: int) -> NDArray[np.int64]:
    """Row numbers of an eighth of the claims and clusters, which choose epoch, blend, calibration and threshold."""
    held = folds(rows, seed, _PARTS)[0]
    labels = {rows[number].positive for number in held}
    if not {True, False} <= labels:
        raise ConfigError("fine-tuning needs positives and negatives of more claims or clusters: add rows")
    return held


def _altered(wanted: Training) -> list[Row]:
    """Every row in another wording: what is learnt must hold for people who type without diacritics, too."""
    chance = np.random.default_rng([wanted.seed, 1])
    return [replace(row, text=altered(row.text, chance)) for row in wanted.rows]


def _tuned_card(
    wanted: Training, twins: Sequence[Row], both: Floats, held: NDArray[np.int64], tuned: "Tuned"
) -> tuple[dict[str, Any], NDArray[np.bool_]]:
    """Share of the tower, calibration and thresholds, all from the held-out rows that neither side has learnt.

    Then which of those rows the model flags. `both` are the vectors of the rows, then those of their twins.
    """
    count = len(wanted.rows)
    rows = [wanted.rows[number] for number in held]
    learnt = np.setdiff1d(np.arange(2 * count), np.concatenate([held, held + count]))
    every = [*wanted.rows, *twins]
    apart = linear_heads([every[number] for number in learnt], both[learnt], seed=wanted.seed)
    linear = logits_of(apart, features_of(both[held], [row.text for row in rows], apart.idf))
    known = np.array([row.positive is not None for row in rows])
    labelled = [row for row in rows if row.positive is not None]
    truth = np.array([bool(row.positive) for row in labelled])
    by_share = {share: blend(linear, tuned.outputs, share) for share in _SHARES}
    given = {share: joint(said.false, said.scope)[0][known] for share, said in by_share.items()}
    found = {share: ap(truth, one) or 0.0 for share, one in given.items()}
    best = least_share(truth, given, draws(labelled, 0))
    said = by_share[best]
    raw, scope = joint(said.false, said.scope)
    card = calibration_card(labelled, raw[known])
    shares = {str(share): round(one, 4) for share, one in found.items()}
    card["scope_threshold"] = _scope_threshold(card, rows, raw, scope)
    likely = (calibrated(card, raw, [row.text for row in rows]) >= card["threshold"]) & (
        scope >= card["scope_threshold"]
    )
    lead = lead_of(said.stance, len(rows))
    least = least_lead(rows, lead, likely)
    card |= {
        "lead": least,
        "rows": count,
        "positives": sum(bool(row.positive) for row in wanted.rows),
        "seed": wanted.seed,
        "tower": {"share": best, "held": len(held), "ap_by_share": shares, "epochs": list(tuned.metrics)},
    }
    return card, likely & (lead >= least)


def least_share(truth: NDArray[np.bool_], given: Mapping[float, Floats], drawn: Sequence[NDArray[np.int64]]) -> float:
    """The smallest share whose average precision is not plainly behind the best one's, from its logits [rows].

    Plainly: by more than the standard error of the difference, over the resamplings `drawn` (the one-standard-error
    rule, Breiman et al. 1984). With few positives the best by itself is a matter of luck, and the linear heads err less
    far from home.
    """
    found = {share: ap(truth, one) or 0.0 for share, one in given.items()}
    best = max(found, key=lambda share: found[share])
    for share in sorted(given):
        behind = [(ap(truth[at], given[best][at]) or 0.0) - (ap(truth[at], given[share][at]) or 0.0) for at in drawn]
        if found[best] - found[share] <= np.std(behind):
            return share
    return best


def _scope_threshold(card: Mapping[str, Any], rows: Sequence[Row], raw: Floats, scope: Floats) -> float:
    """The probability of being about health below which nothing is flagged: criticism of policy never should be."""
    outside = np.array([row.in_scope is False for row in rows])
    likely = calibrated(card, raw, [row.text for row in rows]) >= card["threshold"]
    steps = np.arange(0.5, _STRICTEST + 0.01, 0.05)
    good = [at for at in steps if (likely & (scope >= at))[outside].mean() <= _STRAY] if outside.any() else [0.5]
    return round(float(good[0] if good else _STRICTEST), 2)


def least_lead(rows: Sequence[Row], lead: Floats, likely: NDArray[np.bool_]) -> float:
    """By how much repeating must lead the other stances, so that hardly a refutation is flagged; 0 without these.

    A denial that is shown as a rumour costs a desk more trust than a rumour that waits for its next copy. `likely` are
    the rows that would be flagged by falsity and scope.
    """
    refutes = np.array([row.stance is Stance.REFUTES for row in rows])
    if not refutes.any() or np.isinf(lead).any():
        return 0.0
    said = np.array([row.stance is Stance.REPEATS for row in rows]) & likely & (lead > 0)
    borne = [at for at in _LEADS if (lead[said] >= at).sum() >= (1 - _GIVEN_UP) * said.sum()]
    flagged = [_highest(((lead >= at) & likely)[refutes]) for at in borne]
    enough = max(_DENIALS, min(flagged))
    return round(float(next(at for at, share in zip(borne, flagged, strict=True) if share <= enough)), 2)


def _highest(flagged: NDArray[np.bool_]) -> float:
    """The upper end of the share's 95% interval (Wilson 1927): a share that looks small on few rows may be luck."""
    return wilson(float(flagged.sum()), float(len(flagged)))[1]


def _described(
    encoder: Encoder, wanted: Training, vectors: Floats, heads: Heads, judged: Mapping[int, bool] | None = None
) -> Heads:
    """With gate, lens and limits of claim match, and a whole card; `judged` as in `fit_gate`."""
    glances = encoder.glance([row.text for row in wanted.rows])
    gate = fit_gate(wanted.rows, glances, heads.idf, wanted.seed, judged) if heads.idf is not None else None
    if gate:
        heads = replace(heads, gate=gate[0].linear, card={**heads.card, "gate": gate[1]})

    def encode(texts: Sequence[str]) -> Floats:
        return remembered(encoder, texts)

    matching, figures = choose_limits(wanted.rows, vectors, wanted.claims, encode, heads.idf)
    heads = replace(heads, lens=claim_lens(wanted.rows, vectors, wanted.claims, encode))
    every = matching.pop("")
    card = {
        **wanted.about,
        **heads.card,
        "version": wanted.version,
        "encoder": encoder.name,
        **every.as_card(),
        **figures,
        "matching": {language: one.as_card() for language, one in matching.items()},
    }
    return replace(heads, card=card)
