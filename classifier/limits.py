"""Chooses from which similarity a claim is suggested and from which it counts as confirmed."""

from collections.abc import Sequence

import numpy as np

from claimwatch.records import Claim
from classifier.heads import Floats
from classifier.match import ClaimIndex, Encode, Limits
from classifier.rows import Row

#: At most this share of posts about no claim may get a suggestion: a wrong one costs a glance, a missing one a search.
_FALSE_SUGGESTIONS = 0.25
#: Of the posts above the confirm limit, at least this share must say the nearest claim.
_CONFIRMED_RIGHT = 0.95
#: Used where the rows name no claims to measure on.
UNMEASURED = Limits(suggest=0.86, confirm=0.93)


def choose_limits(rows: Sequence[Row], vectors: Floats, claims: Sequence[Claim], encode: Encode) -> Limits:
    """Limits measured on labelled rows with their vectors [rows, dimensions]."""
    ids = {claim.id for claim in claims}
    named = np.array([row.claim in ids for row in rows])
    none = np.array([row.claim is None and not row.positive for row in rows])
    if named.sum() < 50 or none.sum() < 50:
        return UNMEASURED
    near = ClaimIndex(claims, encode).nearest(vectors, Limits(suggest=2.0, confirm=2.0))
    similar = np.array([one[0].similarity for one in near])
    right = np.array([one[0].claim == row.claim for one, row in zip(near, rows, strict=True)])
    suggest = float(np.quantile(similar[none], 1 - _FALSE_SUGGESTIONS))
    return Limits(suggest=round(suggest, 3), confirm=round(_confirm(similar[named | none], right[named | none]), 3))


def _confirm(similar: Floats, right: Floats) -> float:
    """The lowest similarity above which the nearest claim is right often enough."""
    order = np.argsort(-similar, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(share >= _CONFIRMED_RIGHT)
    return float(similar[order[good[-1]]]) if len(good) else 1.0
