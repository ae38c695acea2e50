"""The figures of one week, as records: what is hashed, what only goes with it, and the JSON both become."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from claimwatch.drift import Drift

#: Raised when the shape of a report's body changes; old bodies are still rendered.
FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Statuses:
    """Posts by where they stand; the four add up to all."""

    new: int = 0  #: not assessed yet
    passed: int = 0  #: assessed, not flagged
    flagged: int = 0  #: flagged, awaits a person
    decided: int = 0  #: decided by a person


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Posts that repeat: confirmed by a person, or flagged and awaiting one. Never those that passed."""

    decided: int = 0
    flagged: int = 0

    @property
    def posts(self) -> int:
        """Both together."""
        return self.decided + self.flagged


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCounts:
    """The posts of one day."""

    day: date
    posts: Statuses


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageCounts:
    """The posts of one language, and how many of them repeat something."""

    language: str
    posts: int
    repeating: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCounts:
    """The posts of one source, Monday first."""

    source: str
    days: tuple[int, ...]

    @property
    def posts(self) -> int:
        """All seven days."""
        return sum(self.days)


@dataclass(frozen=True, slots=True, kw_only=True)
class StanceCounts:
    """Posts that speak of a claim without repeating it: never part of its spread."""

    refutes: int = 0
    asks: int = 0
    reports: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The responses to one claim so far, as they stood at the week's end."""

    done: int = 0
    corrections: int = 0  #: those carried out that published a correction
    open: int = 0
    overdue: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimCounts:
    """One claim's week."""

    claim: str
    spread: Spread
    before: Spread  #: of the week before
    stances: StanceCounts
    verdict: str | None
    harm: int  #: 1 to 4; 0 where the ledger does not know the claim
    answers: Answers


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionCounts:
    """What people decided in the week."""

    made: Mapping[str, int]  #: by action
    undone: Mapping[str, int]  #: those of them that were taken back since, by action
    settled: int  #: cards whose standing decision is of this week
    flagged: int  #: those of them that the model had flagged
    overturned: int  #: those flagged that a person found to repeat nothing
    missed: int  #: those not flagged that a person found to repeat a claim


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseCounts:
    """What the team did about claims, as it stood at the week's end."""

    begun: Mapping[str, int]  #: in the week, by kind
    done: Mapping[str, int]  #: in the week, by kind
    open: int
    overdue: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What is hashed: everything that the stores can count again for good."""

    week: str
    posts: Statuses
    before: Statuses  #: of the week before
    days: tuple[DayCounts, ...]
    languages: tuple[LanguageCounts, ...]
    sources: tuple[SourceCounts, ...]
    stances: StanceCounts
    claims: tuple[ClaimCounts, ...]  #: most repeated first, then by id
    unnamed: Spread  #: repeating posts that no claim is known for
    decisions: DecisionCounts
    responses: ResponseCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimContext:
    """What a reader needs of a claim beside its counts."""

    statement: Mapping[str, str]
    accounts: tuple[int, int]  #: at least, at most; purged posts cannot be counted by account again
    links: tuple[str, ...]  #: of corrections published


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceContext:
    """What a source should give and how its crawls went."""

    expected: int  #: posts a week; 0 = not stated
    enabled: bool
    attention: str
    runs: int
    failed: int
    notice: str = ""  #: what was wrong when the week ended: refused, failing, not_crawled, silent
    silent: tuple[int, int, int] | None = None  #: new posts in so many hours, and how many were to be expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Minutes from a card's opening to its first decision, over the cards that are still kept."""

    median: int | None
    measured: int
    cards: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a reader needs beside the counts; not hashed, because it cannot be counted again later."""

    desk: str
    timezone: str
    claims: Mapping[str, ClaimContext]
    sources: Mapping[str, SourceContext]
    waiting: Waiting
    drift: tuple[Drift, ...] = ()  #: the week's scores and decisions beside those of the four weeks before


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekNumbers:
    """All numbers of one week's report."""

    counts: Counts
    context: Context


def content_hash(numbers: WeekNumbers) -> str:
    """SHA-256 over the canonical JSON of the counts: 64 hex digits."""
    return body_hash({"counts": asdict(numbers.counts)})


def body_hash(body: Mapping[str, Any]) -> str:
    """The hash of a report's body, as `content_hash` gives it for its numbers."""
    return hashlib.sha256(canonical(body["counts"]).encode()).hexdigest()


def body_of(numbers: WeekNumbers, *, version: int, replaces: str | None = None) -> dict[str, Any]:
    """The body of a report, plain JSON: all that rendering needs. Version 0 is a preview."""
    head = {"format": FORMAT, "week": numbers.counts.week, "version": version, "replaces": replaces}
    body: dict[str, Any] = json.loads(canonical(head | asdict(numbers)))
    return body


def canonical(value: Any) -> str:
    """JSON with sorted keys, no spaces, and text as itself: the same characters on every machine."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=date.isoformat)
