"""Chooses from which similarity a claim is suggested and from which it counts as confirmed, in each language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from claimwatch.records import Claim
from claimwatch.text.language import language_of
from classifier.heads import Floats
from classifier.lens import Lens, fit_lens
from classifier.match import ClaimIndex, Encode, Limits, Sight, phrasings
from classifier.model import Nearest
from classifier.rows import Row

#: At most this share of posts about no claim may get a suggestion: a wrong one costs a glance, a missing one a search.
_FALSE_SUGGESTIONS = 0.25
#: Of the posts above the confirm limit, at least this share must say the nearest claim.
_CONFIRMED_RIGHT = 0.95
#: Posts that name a claim and posts that name none, each, to measure on.
_ENOUGH = 50
_FOLDS = 5
_NO_LIMITS = Limits(suggest=2.0, confirm=2.0)
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


def claim_lens(rows: Sequence[Row], vectors: Floats, claims: Sequence[Claim], encode: Encode) -> Lens | None:
    """A lens from all phrasings and from the rows that repeat a claim, with their vectors [rows, dimensions]."""
    said = [(claim.id, text) for claim in claims for text in phrasings(claim)]
    known = {claim.id for claim in claims}
    repeats = [number for number, row in enumerate(rows) if row.positive and row.claim in known]
    if not said:
        return None
    texts = np.concatenate([encode([text for _, text in said]), vectors[repeats]])
    return fit_lens(texts, [claim for claim, _ in said] + [str(rows[number].claim) for number in repeats])


def choose_limits(
    rows: Sequence[Row], vectors: Floats, claims: Sequence[Claim], encode: Encode, idf: Floats | None = None
) -> tuple[dict[str, Matching], dict[str, float]]:
    """What was measured on labelled rows with their vectors [rows, dimensions], by language; "" for all together.

    Then figures for the card: `recall_new_claims`, as `recall_at_1` but of claims that the lens has not learnt, as
    those that a desk adds; and `suggest_by_vector`, the limit where the text is not at hand. No row is looked at
    through a lens that has learnt it, and what confirms a claim is chosen as if each claim were one of these.
    """
    study = _Study(rows, vectors, claims, encode)
    apart = np.random.default_rng(0).integers(0, _FOLDS, len(rows))
    seen = study.seen(apart, idf)
    new = study.seen(np.array([study.fold_of.get(row.claim or "", 0) for row in rows]), idf, strangers=True)
    blind = study.seen(apart, None)
    figures = {}
    if new.repeats.any():
        figures["recall_new_claims"] = round(float(new.right[new.repeats].mean()), 4)
    if blind.none.sum() >= _ENOUGH:
        figures["suggest_by_vector"] = _suggest(blind.similar[blind.none])
    spoken = np.array([language_of(row.text) for row in rows])
    found = {language: _measured(seen, new, spoken == language) for language in sorted(set(spoken.tolist()))}
    whole = _measured(seen, new, np.ones(len(rows), bool)) or Matching(limits=UNMEASURED)
    return {"": whole, **{language: one for language, one in found.items() if one}}, figures


class _Study:
    """Labelled rows looked up among claims, fold by fold."""

    def __init__(self, rows: Sequence[Row], vectors: Floats, claims: Sequence[Claim], encode: Encode) -> None:
        self._rows, self._vectors, self._claims = rows, vectors, claims
        texts = list(dict.fromkeys(text for claim in claims for text in phrasings(claim)))
        self._known = dict(zip(texts, encode(texts), strict=True)) if texts else {}
        self._size = vectors.shape[1]
        #: In which fold each claim is strange.
        self.fold_of = {claim.id: number % _FOLDS for number, claim in enumerate(claims)}

    def seen(self, folds: Any, idf: Floats | None, *, strangers: bool = False) -> "_Seen":
        """The nearest claim of each row through a lens learnt without its fold; with `strangers` without its claim."""
        near: list[list[Nearest]] = [[] for _ in self._rows]
        for fold in sorted(set(np.asarray(folds).tolist())):
            held, kept = np.flatnonzero(folds == fold).tolist(), np.flatnonzero(folds != fold).tolist()
            told = [claim for claim in self._claims if not strangers or self.fold_of[claim.id] != fold]
            lens = claim_lens([self._rows[number] for number in kept], self._vectors[kept], told, self._encode)
            index = ClaimIndex(self._claims, self._encode, sight=Sight(lens=lens, idf=idf))
            texts = [self._rows[number].text for number in held]
            found = index.nearest(self._vectors[held], [_NO_LIMITS] * len(held), texts=texts)
            for number, one in zip(held, found, strict=True):
                near[number] = one
        ids = set(self.fold_of)
        return _Seen(
            similar=np.array([one[0].similarity if one else 0.0 for one in near]),
            right=np.array(
                [bool(one) and one[0].claim == row.claim for one, row in zip(near, self._rows, strict=True)]
            ),
            named=np.array([row.claim in ids for row in self._rows]),
            none=np.array([row.claim is None and not row.positive for row in self._rows]),
            repeats=np.array([row.claim in ids and bool(row.positive) for row in self._rows]),
        )

    def _encode(self, texts: Sequence[str]) -> Floats:
        return np.array([self._known[text] for text in texts], np.float32).reshape(len(texts), self._size)


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


def _measured(seen: _Seen, new: _Seen, which: Any) -> Matching | None:
    """Limits on some of the rows; None where they are too few. `new` is the same among claims strange to the lens."""
    named, none, repeats = seen.named & which, seen.none & which, seen.repeats & which
    if min(named.sum(), none.sum()) < _ENOUGH:
        return None
    suggest = _suggest(seen.similar[none])
    judged = named | none
    confirm = max(suggest, round(_confirm(new.similar[judged], new.right[judged]), 3))
    recall = round(float(seen.right[repeats].mean()), 4) if repeats.any() else None
    return Matching(limits=Limits(suggest=suggest, confirm=confirm), recall_at_1=recall, repeats=int(repeats.sum()))


def _suggest(similar: Floats) -> float:
    return round(float(np.quantile(similar, 1 - _FALSE_SUGGESTIONS)), 3)


def _confirm(similar: Floats, right: Floats) -> float:
    """The lowest similarity above which the nearest claim is right often enough."""
    order = np.argsort(-similar, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(share >= _CONFIRMED_RIGHT)
    return float(similar[order[good[-1]]]) if len(good) else 1.0
