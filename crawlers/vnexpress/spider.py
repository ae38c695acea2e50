"""How comments are asked: article by article, page by page, with the replies that a page does not show."""

import re
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from pydantic import BeforeValidator, Field, StringConstraints

from crawlers.page import Page
from crawlers.plan import Ask, KindSettings, Step

_PAGE = 50
_ARTICLE = StringConstraints(pattern=r"\d{4,12}(?:\.html)?(?:[?#].*)?$")
_NUMBER = re.compile(r"(\d{4,12})(?:\.html)?(?:[?#].*)?$")


def _listed(given: object) -> object:
    """On the command line a list is written with spaces or commas."""
    return tuple(given.replace(",", " ").split()) if isinstance(given, str) else given


class VnexpressSettings(KindSettings):
    """The comments below some articles."""

    articles: Annotated[tuple[Annotated[str, _ARTICLE], ...], BeforeValidator(_listed)] = Field(
        min_length=1, description="The articles, by number or address."
    )
    base_url: str = Field("https://usi-saas.vnexpress.net", pattern=r"^https?://", description="The interface to ask.")
    site: str = Field("1000000", pattern=r"^\d{1,12}$", description="The number of the site's section.")
    kind: str = Field("1", pattern=r"^\d{1,3}$", description="The kind of article: 1 text, 3 video.")


class CommentsPlan:
    """Reads every article anew at each crawl: comments come in no order that a crawl could go on from."""

    def __init__(self, source: str, settings: VnexpressSettings) -> None:
        self.source = source
        self.settings = settings
        self.base = settings.base_url.rstrip("/")

    def first(self, state: Mapping[str, Any]) -> Ask:
        """The first page still owed, or that of the first article."""
        return Ask(url=self._owed(state)[0])

    def after(self, ask: Ask, state: Mapping[str, Any], page: Page) -> Step:
        """The pages owed: further comments of the article, replies, then the other articles."""
        further = [page.next] if page.next and page.next != ask.url else []
        article = next(iter(parse_qs(urlsplit(ask.url).query).get("objectid", [])), "")
        further += [self._replies(article, each) for each in page.watermark.get("replies", "").split(",") if each]
        if "/getreplay" in ask.url:
            further = further[:1] if page.next else []  # replies have no replies
        rest = [url for url in self._owed(state) if url != ask.url]
        owed = [*(url for url in further if url not in rest), *rest]
        kept = {key: value for key, value in state.items() if key != "owed"}
        return Step(state=kept | {"owed": owed}, ask=Ask(url=owed[0])) if owed else Step(state=kept)

    def _owed(self, state: Mapping[str, Any]) -> list[str]:
        return list(state.get("owed", ())) or [self._comments(article) for article in self.settings.articles]

    def _comments(self, article: str) -> str:
        found = _NUMBER.search(article)
        return self._address("get", {"objectid": found[1] if found else article})

    def _replies(self, article: str, comment: str) -> str:
        return self._address("getreplay", {"objectid": article, "id": comment})

    def _address(self, question: str, query: Mapping[str, str]) -> str:
        rest = {"objecttype": self.settings.kind, "siteid": self.settings.site, "offset": 0, "limit": _PAGE}
        return f"{self.base}/index/{question}?{urlencode({**query, **rest})}"
