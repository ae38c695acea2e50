"""Whether the pages can do their work, for whatever watches the process."""

from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse

from claimwatch.desk import Desk
from claimwatch.errors import StoreError
from claimwatch.ledger import users
from review_ui.visitor import Site

router = APIRouter()


@router.get("/health")
def health(request: Request) -> PlainTextResponse:
    """200 and `ok` when both stores answer, else 503 and what is wrong, one line each."""
    site: Site = request.app.state.site
    problems = [problem for ask in (_ask_ledger, _ask_posts) if (problem := _problem(ask, site.desk))]
    if problems:
        return PlainTextResponse("\n".join(problems), status_code=503)
    return PlainTextResponse("ok")


def _problem(ask: Callable[[Desk], object], desk: Desk) -> str:
    try:
        ask(desk)
    except StoreError as error:
        return str(error)
    return ""


def _ask_ledger(desk: Desk) -> int:
    with desk.ledger.read() as db:
        return users.count(db)


def _ask_posts(desk: Desk) -> object:
    return desk.posts.count_cards()
