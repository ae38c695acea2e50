"""Groups of copies: who shares a band, who is placed where, how large and how fast a group is."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from claimwatch.posts.base import Tally
from claimwatch.posts.elastic_cards import cards_of
from claimwatch.posts.elastic_client import Doc, Elastic, Hit, all_of, any_of, in_parts
from claimwatch.posts.elastic_docs import post_from, settle
from claimwatch.posts.elastic_gone import drop_emptied_cards
from claimwatch.posts.elastic_slices import POSTS, Slices
from claimwatch.posts.rows import micros
from claimwatch.records import Post, State

_DAY = timedelta(days=1)
_COUNTS = ("posts", "accounts", "engagement", "last_day", "week_before")
_BY_AGE = [{"collected_at": "asc"}, {"id": "asc"}]


def kin(elastic: Elastic, bands: Collection[str], limit: int) -> list[Post]:
    """Placed posts that share a band key, oldest first, as searches see them."""
    if not bands:
        return []
    query = all_of(any_of("bands", sorted(set(bands))), {"exists": {"field": "group"}})
    return [post_from(doc) for doc in elastic.hits(POSTS, query=query, sort=_BY_AGE, size=limit)]


def place(elastic: Elastic, slices: Slices, groups: Mapping[str, str]) -> None:
    """Write groups; a post that left the group of its own name empty takes that open card with it."""
    moving = [id_ for id_, group in groups.items() if id_ != group]
    drop_emptied_cards(elastic, moving, leaving={"ids": {"values": moving}}, only_open=True)

    def change(hits: list[Hit]) -> dict[str, Doc]:
        return {hit.id: hit.doc | {"group": groups[hit.id]} for hit in hits if hit.doc["group"] != groups[hit.id]}

    elastic.rewrite(lambda: list(slices.read(groups).values()), change)
    settle_posts(elastic, slices, list(groups))  # read anew: a decision that came before the group was written counts


def settle_posts(elastic: Elastic, slices: Slices, ids: Sequence[str]) -> None:
    """Say of these posts what their assessments and cards say now. The post is read before its card is."""

    def change(hits: list[Hit]) -> dict[str, Doc]:
        cards = cards_of(elastic, {hit.doc["group"] for hit in hits if hit.doc["group"]})
        changed = {}
        for hit in hits:
            doc = dict(hit.doc)
            settle(doc, cards.get(doc["group"]))
            if doc != hit.doc:
                changed[hit.id] = doc
        return changed

    if ids:
        elastic.rewrite(lambda: list(slices.read(ids).values()), change)


def settle_groups(elastic: Elastic, slices: Slices, groups: Sequence[str]) -> None:
    """As `settle_posts`, for all posts of these groups. Their cards were written before."""
    if not groups:
        return
    elastic.refresh(POSTS)
    for part in in_parts(groups):
        for page in elastic.walk(POSTS, all_of(any_of("group", part)), fields=()):
            slices.remember({hit.id: hit.index for hit in page})
            settle_posts(elastic, slices, [hit.id for hit in page])


def settle_where_decided(
    elastic: Elastic, slices: Slices, placed: Mapping[str, str], before: Mapping[str, Doc]
) -> None:
    """As `settle_posts`, for new posts of groups (by id) whose cards are no longer as they were before the writing."""
    now = cards_of(elastic, set(placed.values()))
    settle_posts(elastic, slices, [id_ for id_, group in placed.items() if now.get(group) != before.get(group)])


def members(elastic: Elastic, group: str, limit: int) -> list[Post]:
    """The posts of a group, oldest first, as searches see them."""
    found = elastic.hits(POSTS, query=all_of(any_of("group", [group])), sort=_BY_AGE, size=limit)
    return [post_from(doc) for doc in found]


def tallies(elastic: Elastic, groups: Collection[str], now: datetime) -> dict[str, Tally]:
    """The tally of each group that has posts; accounts are counted exactly."""
    day, week = micros(now - _DAY), micros(now - 8 * _DAY)
    aggs = {
        "engagement": {"sum": {"field": "engagement"}},
        "last_day": {"filter": {"range": {"seen_at": {"gt": day, "lte": micros(now)}}}},
        "week_before": {"filter": {"range": {"seen_at": {"gt": week, "lte": day}}}},
    }
    found: dict[str, dict[str, int]] = {}
    gone = [any_of("state", [State.DELETED.value])]
    for part in in_parts(sorted(set(groups))):
        for bucket in elastic.composite(
            POSTS, all_of(any_of("group", part), without=gone), ["group", "author_key"], aggs
        ):
            one = found.setdefault(bucket["key"]["group"], dict.fromkeys(_COUNTS, 0))
            one["posts"] += bucket["doc_count"]
            one["accounts"] += 1
            one["engagement"] += int(bucket["engagement"]["value"])
            one["last_day"] += bucket["last_day"]["doc_count"]
            one["week_before"] += bucket["week_before"]["doc_count"]
    return {group: Tally(**counts) for group, counts in found.items()}
