"""The queue: one card per group, most urgent first."""

from collections.abc import Sequence
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import Response

from claimwatch.desk import Desk
from claimwatch.ledger import claims
from claimwatch.records import Card
from review_ui.pages import QueuePage, QueueRow
from review_ui.views.notes import note_after
from review_ui.visitor import Member, go
from review_ui.waiting import Place, overview, queue_of
from review_ui.words import opening

router = APIRouter()
_PAGE = 25


@router.get("/")
def front(_: Member) -> Response:
    """The front page is the queue."""
    return go("/queue")


@router.get("/queue")
def queue(
    visitor: Member, language: str = "", priority: float | None = None, after: str = "", decided: str = ""
) -> Response:
    """One page of the queue, after (priority, id)."""
    desk = visitor.desk
    mine = queue_of(desk, visitor.account.id, visitor.session.since, language=language)
    start = (priority, after) if priority is not None else None
    found = mine.cards(start, limit=_PAGE + 1)
    cards, more = found[:_PAGE], len(found) > _PAGE
    left = [] if more else mine.left_behind()
    size = overview(desk)
    page = QueuePage(
        rows=_rows(desk, cards, language),
        skipped=_rows(desk, left, language),
        waiting=size.waiting,
        decided=size.decided,
        oldest=size.oldest,
        language=language,
        languages=tuple(sorted(size.languages.items())),
        top=max((card.priority for card in [*cards, *left]), default=1.0) or 1.0,
        more=_link((cards[-1].priority, cards[-1].id), language) if more else "",
        beginning=start is None,
        now=desk.now(),
    )
    return visitor.show(page, note=note_after(visitor, decided))


def card_link(card: str, language: str = "", decided: str = "") -> str:
    """The path of a card's page, keeping the language filter and the card that was just decided."""
    asked = {name: value for name, value in (("language", language), ("decided", decided)) if value}
    return f"/cards/{card}" + (f"?{urlencode(asked)}" if asked else "")


def _link(start: Place, language: str) -> str:
    asked = {"priority": repr(start[0]), "after": start[1]} | ({"language": language} if language else {})
    return f"/queue?{urlencode(asked)}"


def _rows(desk: Desk, cards: Sequence[Card], language: str) -> tuple[QueueRow, ...]:
    heads = desk.posts.get([card.head for card in cards])
    with desk.ledger.read() as db:
        known = claims.some(db, {card.claim for card in cards if card.claim})
    return tuple(
        QueueRow(
            card=card,
            excerpt=opening(heads[card.head]) if card.head in heads else "",
            claim=known.get(card.claim or ""),
            link=card_link(card.id, language),
        )
        for card in cards
    )
