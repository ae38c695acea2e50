"""How a model's scores were spread in each week: counts of texts, never a text or a post."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from claimwatch.ledger import facts

#: Equal steps of p_false from 0 to 1.
STEPS = 20
_FACT = "scores."


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One text that a model saw for the first time."""

    language: str
    p_false: float
    hinges: bool  #: topic and stance would let it be flagged: the threshold alone decides


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekScores:
    """Texts of one week by step of p_false, per language."""

    week: str
    model: str  #: weights, without what its thresholds add to a version
    threshold: float | None
    texts: Mapping[str, Sequence[int]] = field(default_factory=dict)
    hinging: Mapping[str, Sequence[int]] = field(default_factory=dict)  #: those that the threshold alone decides on

    @property
    def count(self) -> int:
        """All texts."""
        return sum(map(sum, self.texts.values()))


def weights_of(version: str) -> str:
    """The name of a model's weights: versions of other thresholds give the same scores."""
    return version.rpartition("-")[0] or version


def step_of(p_false: float) -> int:
    """The step that a score lies in."""
    return min(STEPS - 1, int(p_false * STEPS + 1e-9))


def add(db: Connection, week: str, version: str, threshold: float | None, scored: Iterable[Scored]) -> None:
    """Count texts of a week, in a write that no other interrupts."""
    model = weights_of(version)
    kept = json.loads(facts.get(db, f"{_FACT}{week}.{model}") or "{}")
    texts, hinging = kept.get("texts", {}), kept.get("hinging", {})
    for one in scored:
        texts.setdefault(one.language, [0] * STEPS)[step_of(one.p_false)] += 1
        hinging.setdefault(one.language, [0] * STEPS)[step_of(one.p_false)] += one.hinges
    if texts:
        value = json.dumps({"threshold": threshold, "texts": texts, "hinging": hinging})
        facts.put(db, f"{_FACT}{week}.{model}", value)


def of_week(db: Connection, week: str) -> list[WeekScores]:
    """What was counted of a week, the model with most texts first."""
    beginning = f"{_FACT}{week}."
    found = [
        WeekScores(week=week, model=name.removeprefix(beginning), **json.loads(value))
        for name, value in facts.starting(db, beginning).items()
    ]
    return sorted(found, key=lambda one: (-one.count, one.model))
