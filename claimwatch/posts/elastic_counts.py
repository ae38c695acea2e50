"""Counts per day and accounts per claim, both exact: by composite aggregations, never by an estimate."""

from collections.abc import Collection
from datetime import date

from claimwatch.posts.base import CountRow
from claimwatch.posts.elastic_client import Doc, Elastic, all_of, any_of
from claimwatch.posts.elastic_slices import POSTS
from claimwatch.records import Stance, State

_SIX = ("day", "claim", "language", "source", "stance", "status")
_DELETED = any_of("state", [State.DELETED.value])


def counts(elastic: Elastic, days: Collection[date], without: Doc) -> list[CountRow]:
    """Live posts by all six properties, leaving out what matches `without`."""
    return _rows(elastic, all_of(_on(days), without=[_DELETED, without]))


def counts_marked(elastic: Elastic, marked: Doc) -> list[CountRow]:
    """As `counts`, of the posts that one purge will delete."""
    return _rows(elastic, all_of(marked, without=[_DELETED]))


def accounts(elastic: Elastic, days: Collection[date]) -> dict[str, tuple[int, int]]:
    """Distinct accounts per claim: at least, at most. Author keys change with the quarter of the first sight."""
    repeats = [any_of("stance", [Stance.REPEATS.value]), any_of("status", ["flagged", "decided"])]
    query = all_of(_on(days), *repeats, without=[_DELETED, any_of("claim", [""])])
    by_quarter: dict[str, dict[str, int]] = {}
    for bucket in elastic.composite(POSTS, query, ["claim", "quarter", "author_key"]):
        quarters = by_quarter.setdefault(bucket["key"]["claim"], {})
        quarters[bucket["key"]["quarter"]] = quarters.get(bucket["key"]["quarter"], 0) + 1
    return {claim: (max(found.values()), sum(found.values())) for claim, found in by_quarter.items()}


def _on(days: Collection[date]) -> Doc:
    return any_of("day", [day.isoformat() for day in days])


def _rows(elastic: Elastic, query: Doc) -> list[CountRow]:
    return [
        CountRow(**(bucket["key"] | {"day": date.fromisoformat(bucket["key"]["day"]), "posts": bucket["doc_count"]}))
        for bucket in elastic.composite(POSTS, query, _SIX)
    ]
