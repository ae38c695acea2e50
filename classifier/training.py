"""Training from rows to a model that can be served: vectors, heads, a tower where wanted, limits, card."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from claimwatch.errors import ConfigError
from claimwatch.records import Claim
from classifier.adapter import CHECKPOINT, save_adapter
from classifier.augment import altered
from classifier.encoder import Encoder
from classifier.gate import Teacher, fit_gate
from classifier.graph import read_layers
from classifier.heads import (
    Floats,
    Heads,
    blend,
    features_of,
    load_heads,
    logits_of,
    raw_false,
    save_heads,
    sigmoid,
)
from classifier.limits import choose_limits, claim_lens
from classifier.model_card import FILE as CARD
from classifier.model_card import as_markdown
from classifier.remembered import remembered
from classifier.rows import Row
from classifier.thresholds import tuned_card
from classifier.train import calibration_card, folds, linear_heads, train_heads

if TYPE_CHECKING:
    from classifier.finetune import Recipe

Advance = Callable[[int], None]
#: Of so many parts one is held out.
_PARTS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What to train on, and under which name."""

    rows: Sequence[Row]
    claims: Sequence[Claim]
    seed: int
    version: str
    #: Never learnt: these choose epoch, blend, calibration and thresholds. Empty: a part of `rows` does.
    valid: Sequence[Row] = ()
    about: Mapping[str, Any] = field(default_factory=dict)  #: for the card: what the rows were

    @property
    def held(self) -> NDArray[np.int64]:
        """Numbers among `rows` and then `valid` of those that choose: all of `valid`, else an eighth of the claims."""
        if not self.valid:
            return held_out(self.rows, self.seed)
        _both_labels(self.valid)
        return np.arange(len(self.rows), len(self.rows) + len(self.valid))


def train_model(encoder: Encoder, wanted: Training, progress: Advance = lambda _: None) -> Heads:
    """Heads on the frozen encoder, with a card that names version, encoder, thresholds and data."""
    vectors = encoder.encode([row.text for row in wanted.rows], progress)
    if not wanted.valid:
        heads = train_heads(wanted.rows, vectors, seed=wanted.seed, progress=progress)
        return _described(encoder, wanted, vectors, heads)
    _both_labels(wanted.valid)
    heads = linear_heads(wanted.rows, vectors, seed=wanted.seed)
    labelled = [row for row in wanted.valid if row.positive is not None]
    texts = [row.text for row in labelled]
    raw = raw_false(heads, features_of(encoder.encode(texts, progress), texts, heads.idf))[0]
    card = calibration_card(labelled, raw) | _counted(wanted)
    return _described(encoder, wanted, vectors, replace(heads, card=card))


def can_tune() -> bool:
    """Whether what fine-tuning needs is installed here."""
    return all(find_spec(name) for name in ("torch", "transformers", "peft"))


def work(wanted: Training, recipe: "Recipe") -> int:
    """How many texts `tune_model` reads and learns from, should no epoch be spared: what `progress` adds up to."""
    every = len(wanted.rows) + len(wanted.valid)
    return 2 * every + recipe.epochs * (every - len(wanted.held))


def tune_model(
    encoder: Encoder, wanted: Training, folder: Path, recipe: "Recipe", progress: Advance = lambda _: None
) -> Heads:
    """As `train_model`, and fine-tuned: the tower's adapter is left in the folder. Goes on where it was stopped."""
    from classifier.finetune import Lesson, Tuner

    held, rows = wanted.held, [*wanted.rows, *wanted.valid]
    twins = _altered(rows, wanted.seed)
    vectors, states = encoder.fork([row.text for row in rows], recipe.longest, progress, at=recipe.fed)
    twin_vectors, twin_states = encoder.fork([row.text for row in twins], recipe.longest, progress, at=recipe.fed)
    lesson = Lesson(rows=rows, states=states, twins=twin_states, held=held)
    weights = read_layers(encoder.float32, encoder.shape, recipe.start(encoder.shape.layers))
    tuner = Tuner(lesson, weights, encoder.shape, recipe=recipe, seed=wanted.seed, folder=folder)
    tuned = tuner.run(progress)
    every, both = [*rows, *twins], np.concatenate([vectors, twin_vectors])
    learnt = np.setdiff1d(np.arange(len(every)), np.concatenate([held, held + len(rows)]))
    apart = linear_heads([every[number] for number in learnt], both[learnt], seed=wanted.seed)
    said = logits_of(apart, features_of(vectors[held], [rows[number].text for number in held], apart.idf))
    card, flagged = tuned_card([rows[number] for number in held], said, tuned.outputs)
    card["tower"]["epochs"] = list(tuned.metrics)
    heads = apart if wanted.valid else linear_heads(every, both, seed=wanted.seed)
    heads = replace(heads, card={**card, **_counted(wanted), "recipe": asdict(recipe)})
    save_adapter(tuned.adapter, folder)
    count = len(wanted.rows)
    tower = tuner.said(np.arange(count)) if heads.scope else None
    scope = _scope(heads, vectors[:count], wanted.rows, tower)
    judged = dict(zip(held.tolist(), flagged.tolist(), strict=True))
    teacher = None if scope is None else Teacher(scope=scope, flagged=None if wanted.valid else judged)
    return _described(encoder, wanted, vectors[:count], heads, teacher)


def relearn(encoder: Encoder, wanted: Training, teacher: Path, progress: Advance = lambda _: None) -> Heads:
    """New linear heads beside the tower in another model's folder; its share, calibration and thresholds stay.

    Needs no torch. The caller copies the adapter.
    """
    old = load_heads(teacher)
    every = [*wanted.rows, *_altered(wanted.rows, wanted.seed)]
    vectors = encoder.encode([row.text for row in every], progress)
    heads = linear_heads(every, vectors, seed=wanted.seed)
    kept = ("calibration", "calibrations", "threshold", "scope_threshold", "lead", "tower")
    card = {name: old.card[name] for name in kept if name in old.card}
    card |= {**_counted(wanted), "tower_of": str(old.card["version"])}
    return _described(encoder, wanted, vectors[: len(wanted.rows)], replace(heads, card=card))


def save_model(heads: Heads, folder: Path) -> None:
    """Heads, and the card for machines and for people, beside the adapter. ConfigError where it cannot be written."""
    try:
        save_heads(heads, folder)
        (folder / CARD).write_text(as_markdown(heads.card), encoding="utf-8")
        (folder / CHECKPOINT).unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written ({error.strerror}): name another folder") from error


def held_out(rows: Sequence[Row], seed: int) -> NDArray[np.int64]:
    """Row numbers of an eighth of the claims and clusters, which choose epoch, blend, calibration and threshold."""
    held = folds(rows, seed, _PARTS)[0]
    _both_labels([rows[number] for number in held])
    return held


def _both_labels(rows: Sequence[Row]) -> None:
    if not {True, False} <= {row.positive for row in rows}:
        raise ConfigError("held-out rows need positives and negatives: add rows of more claims or clusters")


def _altered(rows: Sequence[Row], seed: int) -> list[Row]:
    """Every row in another wording: what is learnt must hold for people who type without diacritics, too."""
    chance = np.random.default_rng([seed, 1])
    return [replace(row, text=altered(row.text, chance)) for row in rows]


def _counted(wanted: Training) -> dict[str, Any]:
    """For the card: how many rows were learnt, of which languages and stances."""
    stances = Counter(str(row.stance) for row in wanted.rows if row.stance)
    return {
        "rows": len(wanted.rows),
        "positives": sum(bool(row.positive) for row in wanted.rows),
        "languages": dict(Counter(row.lang for row in wanted.rows).most_common()),
        "stances": dict(stances.most_common()),
        "seed": wanted.seed,
    }


def _scope(heads: Heads, vectors: Floats, rows: Sequence[Row], tower: Floats | None = None) -> Floats | None:
    """The probability of being about health [rows]; None where the model never learnt what is not."""
    said = logits_of(heads, features_of(vectors, [row.text for row in rows], heads.idf))
    if tower is not None:
        said = blend(said, tower, float(heads.card["tower"]["share"]))
    return sigmoid(said.scope) if said.scope is not None else None


def _described(
    encoder: Encoder, wanted: Training, vectors: Floats, heads: Heads, teacher: Teacher | None = None
) -> Heads:
    """With gate, lens and limits of claim match, and a whole card; the linear heads teach where nobody does."""
    if teacher is None and (scope := _scope(heads, vectors, wanted.rows)) is not None:
        teacher = Teacher(scope=scope)
    glances = encoder.glance([row.text for row in wanted.rows])
    gate = None
    if teacher is not None and heads.idf is not None:
        gate = fit_gate(wanted.rows, glances, heads.idf, wanted.seed, teacher)
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
