"""Records as rows of the posts store, and rows as records."""

import sqlite3
from datetime import UTC, date, datetime, timedelta
from typing import Any

from claimwatch.records import Assessment, Card, CardState, Match, Observation, Post, Stance, State

#: A row of SQLite or a document: whatever gives its values by name.
Row = sqlite3.Row | dict[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(at: datetime) -> int:
    """Whole microseconds since 1970 UTC."""
    return (at - _EPOCH) // _MICROSECOND


def instant(number: int) -> datetime:
    """The aware UTC time of so many microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=number)


def maybe_micros(at: datetime | None) -> int | None:
    """As `micros`; None stays None."""
    return None if at is None else micros(at)


def maybe_instant(number: int | None) -> datetime | None:
    """As `instant`; None stays None."""
    return None if number is None else instant(number)


def post_row(post: Post) -> dict[str, Any]:
    """A post as the named parameters of its columns."""
    return {
        "id": post.id,
        "source": post.source,
        "platform": post.platform,
        "created_at": maybe_micros(post.created_at),
        "collected_at": micros(post.collected_at),
        "first_seen": micros(post.first_seen),
        "day": post.day.isoformat(),
        "language": post.language,
        "title": post.title,
        "text": post.text,
        "text_hash": post.text_hash,
        "author_key": post.author_key,
        "url": post.url,
        "sealed_url": post.sealed_url,
        "edited_at": maybe_micros(post.edited_at),
        "reply_to": post.reply_to,
        "repost_of": post.repost_of,
        "state": post.state.value,
        "group": post.group,
        "bands": " ".join(post.bands),
        "slot": post.slot,
        "expires_at": maybe_micros(post.expires_at),
    }


def post_of(row: Row) -> Post:
    """The post of a row that has all its columns."""
    return Post(
        id=row["id"],
        source=row["source"],
        platform=row["platform"],
        created_at=maybe_instant(row["created_at"]),
        collected_at=instant(row["collected_at"]),
        first_seen=instant(row["first_seen"]),
        day=date.fromisoformat(row["day"]),
        language=row["language"],
        title=row["title"],
        text=row["text"],
        text_hash=row["text_hash"],
        author_key=row["author_key"],
        url=row["url"],
        sealed_url=row["sealed_url"],
        edited_at=maybe_instant(row["edited_at"]),
        reply_to=row["reply_to"],
        repost_of=row["repost_of"],
        state=State(row["state"]),
        group=row["group"],
        bands=tuple(row["bands"].split()),
        slot=row["slot"],
        expires_at=maybe_instant(row["expires_at"]),
    )


def observation_row(seen: Observation, post: int) -> tuple[Any, ...]:
    """An observation in the order of its columns."""
    return post, seen.source, micros(seen.at), seen.likes, seen.shares, seen.replies, seen.views


def observation_of(row: Row) -> Observation:
    """The observation of a row that has its columns and the post's `id`."""
    counts = {name: row[name] for name in ("likes", "shares", "replies", "views")}
    return Observation(post=row["id"], source=row["source"], at=instant(row["at"]), **counts)


def assessment_row(said: Assessment, post: int) -> tuple[Any, ...]:
    """An assessment in the order of its columns."""
    stance = said.stance.value if said.stance else None
    key = (post, said.text_hash, said.model)
    return *key, said.on_topic, said.p_false, stance, said.stage, said.flag, said.why


def assessment_of(row: Row) -> Assessment:
    """The assessment of a row that has its columns and the post's `id`."""
    return Assessment(
        post=row["id"],
        text_hash=row["text_hash"],
        model=row["model"],
        on_topic=bool(row["on_topic"]),
        p_false=row["p_false"],
        stance=Stance(row["stance"]) if row["stance"] else None,
        stage=row["stage"],
        flag=bool(row["flag"]),
        why=row["why"],
    )


def match_of(row: Row) -> Match:
    """The match of a row that has its columns and the post's `id`."""
    return Match(
        post=row["id"],
        text_hash=row["text_hash"],
        claim=row["claim"],
        claim_version=row["claim_version"],
        similarity=row["similarity"],
        confirmed=bool(row["confirmed"]),
    )


def match_row(one: Match, post: int, model: str) -> tuple[Any, ...]:
    """A match in the order of its columns; `model` is whose assessment it came beside."""
    return post, one.text_hash, one.claim, one.claim_version, one.similarity, one.confirmed, model


#: Columns of a card that are written as the record has them.
_PLAIN = (
    *("id", "head", "claim", "claim_similarity", "posts", "accounts", "engagement", "reach", "growth", "harm"),
    *("p_false", "priority", "language", "model", "number"),
)


def card_row(card: Card) -> dict[str, Any]:
    """A card as the named parameters of its columns."""
    times = {"opened_at": micros(card.opened_at), "updated_at": micros(card.updated_at)}
    return {name: getattr(card, name) for name in _PLAIN} | times | {"state": card.state.value}


def card_of(row: Row) -> Card:
    """The card of a row that has all its columns."""
    values: dict[str, Any] = {name: row[name] for name in _PLAIN}
    times = {"opened_at": instant(row["opened_at"]), "updated_at": instant(row["updated_at"])}
    return Card(**(values | times | {"state": CardState(row["state"])}))
