"""Gathers what the page of one card shows."""

from collections.abc import Sequence

from sqlalchemy import Connection

from claimwatch.ledger import claims, decisions, users
from claimwatch.records import Action, Card, Claim, Decision, Match, Post
from review_ui.pages import Candidate, CardPage, Copy, Past
from review_ui.views.queue import card_link
from review_ui.visitor import Visitor
from review_ui.waiting import queue_of
from review_ui.words import opening, web_link

_COPIES = 4
_CANDIDATES = 3


def card_page(visitor: Visitor, card: Card, only: str) -> CardPage:
    """The card with its post, its claims, its copies and its history."""
    desk = visitor.desk
    post = desk.posts.get([card.head]).get(card.head)
    members = desk.posts.members(card.id, limit=_COPIES + 1)
    matches = desk.posts.matches([card.head]).get(card.head, [])
    with desk.ledger.read() as db:
        active = claims.every(db, "active")
        near = claims.some(db, [match.claim for match in matches] + ([card.claim] if card.claim else []))
        stack = decisions.of_card(db, card.id)
        history = tuple(past(db, one) for one in reversed(stack))
    held = decisions.standing_decision(stack)
    standing = next((one for one in history if held and one.decision.id == held.id), None)
    candidates = _candidates(matches, near, card)
    before, after = _neighbours(visitor, card, only)
    return CardPage(
        card=card,
        post=post,
        link=web_link(post.url) if post else None,
        sealed=bool(post and post.sealed_url),
        copies=_copies(members, card, held),
        assessment=desk.posts.assessments([card.head]).get(card.head),
        claim=_shown_claim(standing, candidates),
        candidates=candidates,
        claims=tuple(active),
        words="",
        history=history,
        standing=standing,
        seen=stack[-1].number if stack else 0,
        only=only,
        next=after,
        previous=before,
        now=desk.now(),
    )


def past(db: Connection, decision: Decision) -> Past:
    """A decision with the names that a page needs."""
    user = users.get(db, decision.user)
    claim = claims.get(db, decision.claim) if decision.claim else None
    return Past(decision=decision, by=user.name if user else f"#{decision.user}", claim=claim)


def _candidates(matches: Sequence[Match], near: dict[str, Claim], card: Card) -> tuple[Candidate, ...]:
    """The nearest claims, each once, the card's own first."""
    similar: dict[str, float | None] = {}
    if card.claim in near:
        similar[near[card.claim].id] = card.claim_similarity
    for match in matches:
        if match.claim in near:
            similar.setdefault(near[match.claim].id, match.similarity)
    by_id = {claim.id: claim for claim in near.values()}
    chosen = list(similar.items())[:_CANDIDATES]
    return tuple(
        Candidate(claim=by_id[claim], similarity=similarity, key=f"{n} r" if n == 1 else str(n))
        for n, (claim, similarity) in enumerate(chosen, 1)
    )


def _shown_claim(standing: Past | None, candidates: Sequence[Candidate]) -> Claim | None:
    if standing:
        return standing.claim
    return candidates[0].claim if candidates else None


def _copies(members: Sequence[Post], card: Card, held: Decision | None) -> tuple[Copy, ...]:
    settled = held.at if held and held.action is not Action.SKIP else None
    others = [post for post in members if post.id != card.head][:_COPIES]
    return tuple(
        Copy(
            post=post,
            excerpt=opening(post, 140),
            inherited=settled is not None and post.collected_at > settled,
            link=web_link(post.url),
        )
        for post in others
    )


def _neighbours(visitor: Visitor, card: Card, only: str) -> tuple[str, str]:
    queue = queue_of(visitor.desk, visitor.account.id, visitor.session.since, language=only)
    before, after = queue.preceding(card), queue.following(card)
    return card_link(before.id, only) if before else "", card_link(after.id, only) if after else ""
