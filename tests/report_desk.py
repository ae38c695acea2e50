"""Puts posts, cards and decisions on a real desk, for the tests of reports/."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from claimwatch.desk import Desk
from claimwatch.ledger import claims, decisions, users
from claimwatch.ledger.decisions import Judgement
from claimwatch.posts.base import Assessed
from claimwatch.records import Action, Assessment, Card, Claim, Decision, Match, Post, Role, Stance, Verdict

MONDAY = date(2026, 11, 9)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a test says of a post; everything else is made up."""

    name: str
    claim: str = "garlic"
    stance: Stance | None = Stance.REPEATS
    flag: bool = True
    day: date = MONDAY
    author: str = "account-1"
    source: str = "mastodon-example"
    language: str = "vi"
    p_false: float = 0.9
    collected: datetime | None = None
    assessed: bool = True


def put(desk: Desk, *seen: Seen) -> list[Post]:
    """Keep these posts, each alone in its group, with an assessment and a match."""
    posts = [_post(one) for one in seen]
    desk.posts.add(posts, token="test")
    desk.posts.assess([_assessed(one, post) for one, post in zip(seen, posts, strict=True) if one.assessed])
    desk.posts.place({post.id: post.id for one, post in zip(seen, posts, strict=True) if one.assessed})
    desk.posts.refresh()
    return posts


def decide(
    desk: Desk, post: Post, action: Action, when: datetime, *, claim: str | None = None, flag: bool = True
) -> Decision:
    """A person's decision on the card of this post's group."""
    if post.id not in desk.posts.card([post.id]):
        desk.posts.put_cards([_card(post, when - timedelta(hours=3))])
    with desk.ledger.write() as db:
        user = users.by_name(db, "mai") or users.add(db, "mai", "correct horse battery", Role.MODERATOR, when)
        number = len(decisions.of_card(db, post.id))
        judgement = Judgement(
            card=post.id,
            seen=number,
            action=action,
            user=user.id,
            post=post.id,
            text_hash=post.text_hash,
            text=post.text,
            language=post.language,
            model="m1",
            p_false=0.9,
            flag=flag,
            claim=claim,
        )
        return decisions.add(db, judgement, when)


def add_claims(desk: Desk, *names: str, statements: Mapping[str, str] | None = None) -> None:
    """Claims with a verdict, made by the team."""
    with desk.ledger.write() as db:
        for name in names:
            text = statements or {"vi": f"Tuyên bố {name}", "en": f"Statement {name}"}
            claims.add(db, Claim(id=name, statement=text, verdict=Verdict.FALSE, harm=3), desk.now())


def _post(seen: Seen) -> Post:
    at = datetime.combine(seen.day, time(5), tzinfo=UTC)
    collected = seen.collected or at + timedelta(hours=1)
    return Post(
        id=f"mastodon:{seen.name}",
        source=seen.source,
        platform="mastodon",
        created_at=at,
        collected_at=collected,
        first_seen=collected,
        day=seen.day,
        language=seen.language,
        title="",
        text=f"Tỏi chữa bệnh, {seen.name}",
        text_hash=f"hash-{seen.name}",
        author_key=seen.author,
        expires_at=collected + timedelta(days=30),
    )


def _assessed(seen: Seen, post: Post) -> Assessed:
    assessment = Assessment(
        post=post.id,
        text_hash=post.text_hash,
        model="m1",
        on_topic=True,
        p_false=seen.p_false,
        stance=seen.stance,
        stage="encoder",
        flag=seen.flag,
    )
    match = Match(
        post=post.id, text_hash=post.text_hash, claim=seen.claim, claim_version=1, similarity=0.9, confirmed=True
    )
    return Assessed(assessment=assessment, matches=(match,) if seen.claim else ())


def _card(post: Post, opened: datetime) -> Card:
    return Card(
        id=post.id,
        head=post.id,
        claim=None,
        claim_similarity=None,
        posts=1,
        accounts=1,
        engagement=0,
        reach=1.0,
        growth=1.0,
        harm=2,
        p_false=0.9,
        priority=1.8,
        language=post.language,
        model="m1",
        opened_at=opened,
        updated_at=opened,
    )
