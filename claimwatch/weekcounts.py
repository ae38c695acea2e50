"""Counts of posts, kept and purged together, under the claims they lead to today."""

from collections import Counter
from collections.abc import Collection
from dataclasses import astuple, replace
from datetime import date
from typing import Any

from claimwatch.desk import Desk
from claimwatch.ledger import claims, counts
from claimwatch.posts.base import CountRow


def count_posts(desk: Desk, days: Collection[date]) -> list[CountRow]:
    """Every post of these days once, live or purged, by its six properties, claims read through redirects."""
    with desk.ledger.read() as db:
        committed = counts.committed(db)
        kept = counts.daily(db, days)
        moved = claims.redirects(db)
    total: Counter[tuple[Any, ...]] = Counter()
    for row in [*desk.posts.counts(days, without=committed), *kept]:
        key = astuple(replace(row, claim=moved.get(row.claim, row.claim)))
        total[key[:-1]] += key[-1]
    return [CountRow(**dict(zip(_NAMES, key, strict=True)), posts=posts) for key, posts in sorted(total.items())]


_NAMES = ("day", "claim", "language", "source", "stance", "status")
