"""Search among the posts that are kept."""

from typing import Annotated, Literal, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from claimwatch.ledger import claims
from claimwatch.posts.base import Found, Search
from claimwatch.text.passages import passage
from review_ui.languages import LANGUAGES
from review_ui.pages import Hit, SearchPage
from review_ui.visitor import Member, Visitor
from review_ui.words import web_link, whole_text

router = APIRouter()
_Order = Literal["newest", "relevance", "urgent"]
_PAGE = 25


class Asked(BaseModel):
    """A search as its form sends it."""

    model_config = ConfigDict(frozen=True)
    words: Annotated[str, Field(max_length=300)] = ""
    language: Annotated[str, Field(max_length=8)] = ""
    claim: Annotated[str, Field(max_length=80)] = ""
    flagged: bool = False
    order: _Order = "newest"
    offset: Annotated[int, Field(ge=0, le=9_975)] = 0  #: Elasticsearch answers no deeper than 10,000


@router.get("/search")
def search(visitor: Member, asked: Annotated[Asked, Query()]) -> Response:
    """The form, and below it what was found."""
    wanted = bool(asked.words.strip() or asked.language or asked.claim or asked.flagged)
    query = Search(
        words=asked.words.strip(),
        language=asked.language,
        claim=asked.claim,
        flagged=True if asked.flagged else None,
        order=asked.order,
        offset=asked.offset,
        limit=_PAGE,
    )
    found = visitor.desk.posts.search(query) if wanted else Found(posts=(), more=False)
    with visitor.desk.ledger.read() as db:
        known = tuple(claims.every(db, "active"))
    page = SearchPage(
        search=query,
        asked=wanted,
        hits=_hits(visitor, found, query.words),
        window=found.window,
        claims=known,
        languages=(*LANGUAGES, "und"),
        orders=get_args(_Order),
        more=_link(asked, asked.offset + _PAGE) if found.more else "",
        back=_link(asked, max(0, asked.offset - _PAGE)) if asked.offset else "",
    )
    return visitor.show(page)


def _hits(visitor: Visitor, found: Found, words: str) -> tuple[Hit, ...]:
    posts = visitor.desk.posts
    said = posts.assessments([post.id for post in found.posts])
    cards = posts.card({post.group for post in found.posts if post.group})
    return tuple(
        Hit(
            post=post,
            passage=tuple(passage(whole_text(post), words, 280)),
            assessment=said.get(post.id),
            card=post.group if post.group and post.group in cards else "",
            link=web_link(post.url),
        )
        for post in found.posts
    )


def _link(asked: Asked, offset: int) -> str:
    given = {name: value for name, value in asked.model_dump().items() if value}
    return f"/search?{urlencode(given | {'offset': offset})}"
