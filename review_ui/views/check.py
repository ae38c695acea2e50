"""Is this true? For everybody, signed in or not. Nothing that is pasted is kept."""

from threading import Lock
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException
from fastapi.responses import Response

from claimwatch.ledger import claims
from review_ui.forms import CheckForm
from review_ui.pages import Answer, CheckPage
from review_ui.visitor import Anyone, Score, Sender, Visitor

router = APIRouter()
_LONGEST = 2000
#: One text at a time: reading it keeps a core busy.
_ONE_AT_A_TIME = Lock()


@router.get("/check")
def ask(visitor: Anyone) -> Response:
    """The empty form."""
    _score(visitor)
    return visitor.show(_page())


@router.post("/check")
def answer(visitor: Sender, form: Annotated[CheckForm, Form()]) -> Response:
    """The nearest claim that the desk knows, and what people found of it."""
    score = _score(visitor)
    text = form.text.replace("\r\n", "\n")
    if not text or len(text) > _LONGEST:
        longest = visitor.language.number(_LONGEST)
        problem = visitor.say("Paste a text of 1 to %(longest)s characters.", longest=longest)
        return visitor.show(_page(text[:_LONGEST], problem=problem), status=422)
    with _ONE_AT_A_TIME:
        opinion = score(text, visitor.language.code)
    nearest = opinion.nearest[0].claim if opinion.nearest else ""
    with visitor.desk.ledger.read() as db:
        claim = claims.get(db, nearest)
    return visitor.show(_page(text, answer=Answer(claim=claim, similarity=opinion.similarity)))


def _page(text: str = "", *, answer: Answer | None = None, problem: str = "") -> CheckPage:
    return CheckPage(text=text, answer=answer, problem=problem, longest=_LONGEST)


def _score(visitor: Visitor) -> Score:
    if visitor.site.score is None:
        raise HTTPException(404)
    return visitor.site.score
