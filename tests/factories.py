"""Records for tests: each is whole and plausible, and a test states only what matters to it."""

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from claimwatch.posts.base import Assessed
from claimwatch.records import Action, Assessment, Card, CardState, CardUpdate, Match, Observation, Post, Stance
from claimwatch.text.copies import bands
from claimwatch.text.fold import slot_of, text_hash

NOW = datetime(2026, 11, 16, 2, 0, tzinfo=UTC)
DAY = date(2026, 11, 16)
_NUMBERS = itertools.count(1)


def make_post(text: str = "Garlic water cures the virus, my aunt says", **changes: Any) -> Post:
    """A post of its own id; hash, slot and bands follow its text."""
    number = next(_NUMBERS)
    body = changes.get("text_hash") or text_hash(text)
    made = Post(
        id=f"mastodon:{number:032x}",
        source="village",
        platform="mastodon",
        created_at=NOW,
        collected_at=NOW,
        first_seen=NOW,
        day=DAY,
        language="en",
        title="",
        text=text,
        text_hash=body,
        author_key=f"author-{number}",
        url=f"https://village.example/posts/{number}",
        bands=bands(text),
        slot=slot_of(body),
    )
    return replace(made, **changes)


def make_assessment(post: Post, **changes: Any) -> Assessment:
    """What the model `m1` says of the post: likely false, repeats a claim, flagged."""
    made = Assessment(
        post=post.id,
        text_hash=post.text_hash,
        model="m1",
        on_topic=True,
        p_false=0.9,
        stance=Stance.REPEATS,
        stage="encoder",
        flag=True,
    )
    return replace(made, **changes)


def make_match(post: Post, claim: str = "garlic-cure", **changes: Any) -> Match:
    """A confirmed match of the post's text with a claim."""
    made = Match(post=post.id, text_hash=post.text_hash, claim=claim, claim_version=1, similarity=0.9, confirmed=True)
    return replace(made, **changes)


def make_assessed(post: Post, *matches: Match, **changes: Any) -> Assessed:
    """An assessment as a stage hands it over; `changes` are the assessment's own."""
    return Assessed(assessment=make_assessment(post, **changes), matches=matches)


def make_observation(post: Post, **changes: Any) -> Observation:
    """What the post's own source showed of it."""
    return replace(Observation(post=post.id, source=post.source, at=NOW, likes=3, shares=2, replies=1), **changes)


def make_card(post: Post, **changes: Any) -> Card:
    """An open card of the post alone."""
    made = Card(
        id=post.group or post.id,
        head=post.id,
        claim="garlic-cure",
        claim_similarity=0.9,
        posts=1,
        accounts=1,
        engagement=0,
        reach=1.5,
        growth=1.0,
        harm=2,
        p_false=0.9,
        priority=2.7,
        language=post.language,
        model="m1",
        opened_at=NOW,
        updated_at=NOW,
    )
    return replace(made, **changes)


def make_update(card: Card, action: Action | None = Action.REPEATS, **changes: Any) -> CardUpdate:
    """The card decided so, or open again where `action` is None."""
    made = CardUpdate(
        card=card.id,
        number=card.number + 1,
        state=CardState.DECIDED if action else CardState.OPEN,
        claim=card.claim if action in {Action.REPEATS, Action.NEW_CLAIM} else None,
        action=action,
        at=NOW,
    )
    return replace(made, **changes)
