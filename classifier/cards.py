"""Cards of the review queue and their priority."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import log2

from claimwatch.desk import Desk
from claimwatch.ledger import claims, decisions
from claimwatch.posts.base import BATCH, Assessed, Tally
from claimwatch.records import Assessment, Card, CardState, Claim, Match, Post

#: The harm of a card whose claim nobody knows yet: as that of a claim that delays care.
UNKNOWN_HARM = 2
_SLOWEST, _FASTEST = 0.5, 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Flagged:
    """A flagged post of a group, with what was said of it."""

    post: Post
    by: Assessed


def reach(accounts: int, engagement: int) -> float:
    """log2(2 + accounts + engagement): doubling an audience adds one."""
    return log2(2 + accounts + engagement)


def growth(last_day: int, week_before: int) -> float:
    """(posts of the last 24 h + 1) / (daily mean of the 7 days before + 1), clipped to 0.5 and 4."""
    return min(_FASTEST, max(_SLOWEST, (last_day + 1) / (week_before / 7 + 1)))


def priority(card: Card) -> float:
    """Harm x reach x growth x p_false."""
    return card.harm * card.reach * card.growth * card.p_false


def open_cards(desk: Desk, flagged: Sequence[Flagged]) -> None:
    """Make sure that the group of every flagged post has a card.

    Written before the flag or the group is, so that a kill in between leaves a card too early, never a flag without
    one; `rescore` gives it its true size.
    """
    groups = {one.post.group or one.post.id: one for one in reversed(flagged)}
    have = desk.posts.card(list(groups))
    missing = {group: one for group, one in groups.items() if group not in have}
    if not missing:
        return
    with desk.ledger.read() as db:
        known = {claim.id: claim for claim in claims.every(db)}
        settled = decisions.decided(db, list(missing))
    cards = [_new_card(group, one, known, desk.now()) for group, one in missing.items()]
    desk.posts.put_cards(cards)
    desk.posts.project([settled[card.id] for card in cards if card.id in settled])


def rescore(desk: Desk, progress: Callable[[int], None] = lambda _: None) -> int:
    """Give every open card its present size, pace and priority; how many."""
    now, scored = desk.now(), 0
    with desk.ledger.read() as db:
        known = {claim.id: claim for claim in claims.every(db)}
    ids = _open_ids(desk)
    for start in range(0, len(ids), BATCH):
        part = ids[start : start + BATCH]
        _rescore_part(desk, part, known, now)
        scored += len(part)
        progress(len(part))
    return scored


def _open_ids(desk: Desk) -> list[str]:
    """The ids of all open cards, gathered first: scoring moves cards within the order that they are read in."""
    ids: list[str] = []
    after: tuple[float, str] | None = None
    while page := desk.posts.cards(CardState.OPEN, after=after, limit=BATCH):
        ids += [card.id for card in page]
        after = (page[-1].priority, page[-1].id)
    return ids


def _rescore_part(desk: Desk, ids: Sequence[str], known: Mapping[str, Claim], now: datetime) -> None:
    cards = {card_id: card for card_id, card in desk.posts.card(ids).items() if card.state is CardState.OPEN}
    tallies = desk.posts.tallies(list(cards), now)
    heads = [card.head for card in cards.values()]
    assessments, matches = desk.posts.assessments(heads), desk.posts.matches(heads)
    desk.posts.put_cards(
        [
            _sized(card, tallies[card.id], assessments.get(card.head), _best(matches.get(card.head, [])), known, now)
            for card in cards.values()
            if card.id in tallies
        ]
    )


def _sized(
    card: Card, tally: Tally, said: Assessment | None, match: Match | None, known: Mapping[str, Claim], now: datetime
) -> Card:
    claim = known.get(match.claim) if match else None
    sized = replace(
        card,
        claim=claim.id if claim else None,
        claim_similarity=match.similarity if match and claim else None,
        posts=tally.posts,
        accounts=tally.accounts,
        engagement=tally.engagement,
        reach=reach(tally.accounts, tally.engagement),
        growth=growth(tally.last_day, tally.week_before),
        harm=claim.harm if claim else UNKNOWN_HARM,
        p_false=said.p_false if said else card.p_false,
        model=said.model if said else card.model,
        updated_at=now,
    )
    return replace(sized, priority=priority(sized))


def _new_card(group: str, one: Flagged, known: Mapping[str, Claim], now: datetime) -> Card:
    """A card for one post alone."""
    bare = Card(
        id=group,
        head=one.post.id,
        claim=None,
        claim_similarity=None,
        posts=1,
        accounts=1,
        engagement=0,
        reach=0.0,
        growth=1.0,
        harm=UNKNOWN_HARM,
        p_false=one.by.assessment.p_false,
        priority=0.0,
        language=one.post.language,
        model=one.by.assessment.model,
        opened_at=now,
        updated_at=now,
    )
    alone = Tally(posts=1, accounts=1, engagement=0, last_day=1, week_before=0)
    return _sized(bare, alone, one.by.assessment, _best(one.by.matches), known, now)


def _best(matches: Sequence[Match]) -> Match | None:
    return max(matches, key=lambda match: match.similarity, default=None)
