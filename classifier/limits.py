"""Chooses from which similarity a claim is suggested and from which it counts as confirmed, in each language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from claimwatch.records import Claim
from claimwatch.text.language import language_of
from classifier.heads import Floats
from classifier.match import ClaimIndex, Encode, Limits
from classifier.rows import Row

#: At most this share of posts about no claim may get a suggestion: a wrong one costs a glance, a missing one a search.
_FALSE_SUGGESTIONS = 0.25
#: Of the posts above the confirm limit, at least this share must say the nearest claim.
_CONFIRMED_RIGHT = 0.95
#: Posts that name a claim and posts that name none, each, to measure on.
_ENOUGH = 50
#: Used where the rows name no claims to measure on.
UNMEASURED = Limits(suggest=0.86, confirm=0.93)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """The limits for texts of one language, and how well they were measured."""

    limits: Limits
    #: Of the posts that repeat a claim, the share whose nearest claim it is, and how many there are.
    recall_at_1: float | None = None
    repeats: int = 0

    def as_card(self) -> dict[str, Any]:
        """For a model's card."""
        found = {"suggest": self.limits.suggest, "confirm": self.limits.confirm}
        return found | {"recall_at_1": self.recall_at_1, "repeats": self.repeats}


def choose_limits(rows: Sequence[Row], vectors: Floats, claims: Sequence[Claim], encode: Encode) -> dict[str, Matching]:
    """What was measured on labelled rows with their vectors [rows, dimensions], by language; "" for all together.

    The encoder has learnt neither rows nor phrasings, so every pair of the two is held out.
    """
    ids = {claim.id for claim in claims}
    near = ClaimIndex(claims, encode).nearest(vectors, [Limits(suggest=2.0, confirm=2.0)] * len(rows))
    seen = _Seen(
        similar=np.array([one[0].similarity if one else 0.0 for one in near]),
        right=np.array([bool(one) and one[0].claim == row.claim for one, row in zip(near, rows, strict=True)]),
        named=np.array([row.claim in ids for row in rows]),
        none=np.array([row.claim is None and not row.positive for row in rows]),
        repeats=np.array([row.claim in ids and bool(row.positive) for row in rows]),
    )
    spoken = np.array([language_of(row.text) for row in rows])
    found = {language: _measured(seen, spoken == language) for language in sorted(set(spoken.tolist()))}
    every = _measured(seen, np.ones(len(rows), bool)) or Matching(limits=UNMEASURED)
    return {"": every, **{language: one for language, one in found.items() if one}}


def limits_of(card: Mapping[str, Any]) -> dict[str, Limits]:
    """What a card says, by language; "" for every other."""
    found = {"": Limits(suggest=float(card["suggest"]), confirm=float(card["confirm"]))}
    for language, one in card.get("matching", {}).items():
        found[language] = Limits(suggest=float(one["suggest"]), confirm=float(one["confirm"]))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """The nearest claim of each row, and what is known of the row; all [rows]."""

    similar: Any
    right: Any
    named: Any
    none: Any
    repeats: Any


def _measured(seen: _Seen, which: Any) -> Matching | None:
    """Limits on some of the rows; None where they are too few."""
    named, none, repeats = seen.named & which, seen.none & which, seen.repeats & which
    if min(named.sum(), none.sum()) < _ENOUGH:
        return None
    suggest = round(float(np.quantile(seen.similar[none], 1 - _FALSE_SUGGESTIONS)), 3)
    judged = named | none
    confirm = max(suggest, round(_confirm(seen.similar[judged], seen.right[judged]), 3))
    recall = round(float(seen.right[repeats].mean()), 4) if repeats.any() else None
    return Matching(limits=Limits(suggest=suggest, confirm=confirm), recall_at_1=recall, repeats=int(repeats.sum()))


def _confirm(similar: Floats, right: Floats) -> float:
    """The lowest similarity above which the nearest claim is right often enough."""
    order = np.argsort(-similar, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(share >= _CONFIRMED_RIGHT)
    return float(similar[order[good[-1]]]) if len(good) else 1.0
