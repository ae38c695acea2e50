"""One card: everything a decision needs, and the decision."""

from contextlib import suppress
from dataclasses import replace
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from claimwatch.desk import Desk
from claimwatch.errors import StoreError
from claimwatch.ledger import claims, decisions, secrets
from claimwatch.ledger.decisions import Judgement, StaleDecision
from claimwatch.projector import project_decisions
from claimwatch.records import Action, Card, Claim, Post
from review_ui.carddetail import card_page, past
from review_ui.forms import DecideForm, NewClaimForm, SeenForm
from review_ui.pages import ChoicesPage, OriginalPage, StalePage
from review_ui.views.notes import note_after
from review_ui.views.queue import card_link
from review_ui.visitor import Member, SendingModerator, Visitor, go
from review_ui.waiting import queue_of
from review_ui.words import matching, new_id, web_link

router = APIRouter()


@router.get("/cards/{card}")
def card(visitor: Member, card: str, language: str = "", decided: str = "") -> Response:
    """The page of one card."""
    return visitor.show(card_page(visitor, _card(visitor, card), language), note=note_after(visitor, decided))


@router.get("/cards/{card}/choices")
def choices(visitor: Member, card: str, words: str = "") -> Response:
    """The claims that hold these words, for the card's list."""
    _card(visitor, card)
    with visitor.desk.ledger.read() as db:
        found = matching(claims.every(db, "active"), words)
    return visitor.show(ChoicesPage(claims=tuple(found), words=words))


@router.post("/cards/{card}/decide")
def decide(visitor: SendingModerator, card: str, form: Annotated[DecideForm, Form()]) -> Response:
    """Keep a decision, then go on to the next card."""
    judged = _card(visitor, card)
    action = form.action
    if action is None or (action is Action.REPEATS and not form.claim):
        raise HTTPException(422, visitor.say("Choose what the card says, and which claim it repeats."))
    post = _as_seen(visitor, judged, form)
    with visitor.desk.ledger.write() as db:
        claim = _claim(visitor, db, form.claim) if form.claim else None
        judgement = _judgement(visitor, judged, post, seen=form.seen, action=action)
        decisions.add(db, _about(judgement, claim, form.reason), visitor.desk.now())
    return _go_on(visitor, judged, form.only)


@router.post("/cards/{card}/new-claim")
def add_claim(visitor: SendingModerator, card: str, form: Annotated[NewClaimForm, Form()]) -> Response:
    """Keep a claim that the ledger did not have, without a verdict, and decide the card with it."""
    judged = _card(visitor, card)
    if len(form.statement) < 8:
        raise HTTPException(422, visitor.say("Write the claim as one sentence."))
    post, now = _as_seen(visitor, judged, form), visitor.desk.now()
    with visitor.desk.ledger.write() as db:
        made = new_id(form.statement, {claim.id for claim in claims.every(db)})
        claim = claims.add(db, Claim(id=made, statement={form.language: form.statement}), now)
        judgement = _judgement(visitor, judged, post, seen=form.seen, action=Action.NEW_CLAIM)
        decisions.add(db, _about(judgement, claim, ""), now)
    return _go_on(visitor, judged, form.only)


@router.post("/cards/{card}/undo")
def undo(visitor: SendingModerator, card: str, form: Annotated[SeenForm, Form()]) -> Response:
    """Take the card's last decision back."""
    desk = visitor.desk
    with desk.ledger.write() as db:
        decisions.undo(db, card, seen=form.seen, user=visitor.account.id, now=desk.now())
    _deliver(desk)
    return go(card_link(card, form.only, card))


@router.post("/posts/{post}/original")
def original(visitor: SendingModerator, post: str) -> Response:
    """Open a sealed link, on record; the page leads on by itself."""
    desk = visitor.desk
    found = desk.posts.get([post]).get(post)
    sealed = found.sealed_url if found else None
    if found is None or sealed is None:
        raise HTTPException(404)
    url = web_link(desk.keys.open_link(sealed))
    if url is None:
        raise HTTPException(404)
    with desk.ledger.write() as db:
        secrets.note_link_open(db, post, visitor.account.id, desk.now())
    page = OriginalPage(url=url, host=urlsplit(url).hostname or "", card=found.group or found.id)
    response = visitor.show(page)
    # Not a redirect: browsers hold the answer to a form to `form-action 'self'`, all the way.
    response.headers["refresh"] = f"0; url={url}"
    return response


def stale(request: Request, visitor: Visitor) -> Response:
    """The page that says how a card stands by now."""
    card = str(request.path_params.get("card", ""))
    with visitor.desk.ledger.read() as db:
        history = decisions.of_card(db, card)
        standing = decisions.standing_decision(history)
        page = StalePage(
            card=card,
            standing=past(db, standing) if standing else None,
            last=past(db, history[-1]) if history else None,
        )
    return visitor.show(page, status=409)


def _card(visitor: Visitor, card: str) -> Card:
    found = visitor.desk.posts.card([card]).get(card)
    if found is None:
        raise HTTPException(404)
    return found


def _as_seen(visitor: Visitor, card: Card, form: SeenForm) -> Post:
    """The card's post, if it still says what the moderator read."""
    post = visitor.desk.posts.get([card.head]).get(card.head)
    if post is None:
        raise HTTPException(404)
    if post.text_hash != form.text_hash:
        raise StaleDecision("the post was edited meanwhile: look at the card again")
    return post


def _claim(visitor: Visitor, db: Connection, claim: str) -> Claim:
    found = claims.get(db, claim)
    if found is None:
        raise HTTPException(422, visitor.say("This claim does not exist any more: choose another."))
    return found


def _judgement(visitor: Visitor, card: Card, post: Post, *, seen: int, action: Action) -> Judgement:
    said = visitor.desk.posts.assessments([post.id]).get(post.id)
    return Judgement(
        card=card.id,
        seen=seen,
        action=action,
        user=visitor.account.id,
        post=post.id,
        text_hash=post.text_hash,
        text=post.text,
        language=post.language,
        model=said.model if said else "",
        p_false=said.p_false if said else None,
        flag=said.flag if said else False,
    )


def _about(judgement: Judgement, claim: Claim | None, reason: str) -> Judgement:
    return replace(judgement, claim=claim.id if claim else None, reason=reason)


def _go_on(visitor: Visitor, card: Card, only: str) -> Response:
    _deliver(visitor.desk)
    queue = queue_of(visitor.desk, visitor.account.id, visitor.session.since, language=only)
    following = queue.following(card)
    if following:
        return go(card_link(following.id, only, card.id))
    return go(f"/queue?decided={card.id}" + (f"&language={only}" if only else ""))


def _deliver(desk: Desk) -> None:
    """Tell the posts store at once. What it cannot take now waits in the outbox: the decision itself is kept."""
    with suppress(StoreError):
        project_decisions(desk)
