"""How a feed is asked: with the validators of its last answer, and on to older pages only where it names them."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from claimwatch.errors import SourceError
from crawlers.outcomes import refusal_of
from crawlers.page import Page
from crawlers.plan import Ask, KindSettings, Step

#: Refusals of an older page that end the walk: the feed has become shorter. After others a later crawl asks again.
_SHORTER = ("not_found", "gone", "bad_request")


class FeedSettings(KindSettings):
    """A feed: RSS, Atom or JSON Feed."""

    url: str = Field(pattern=r"^https?://", description="The feed's address.")


class FeedPlan:
    """Asks for the feed, and for its older pages (RFC 5005, next_url) where it has them."""

    #: Turns whose refusal is handed to `after`: it would bar the feed for ever, for it is asked first the next time.
    hears_refusals = frozenset({"older"})

    def __init__(self, source: str, settings: FeedSettings) -> None:
        self.source = source
        self.url = settings.url

    def first(self, state: Mapping[str, Any]) -> Ask:
        """The feed, unless it has not changed; or the older page that a killed crawl was about to ask."""
        if older := state.get("older"):
            return Ask(url=str(older), turn="older")
        pairs = {"If-None-Match": state.get("etag"), "If-Modified-Since": state.get("last_modified")}
        return Ask(url=self.url, headers={name: str(value) for name, value in pairs.items() if value})

    def after(self, ask: Ask, state: Mapping[str, Any], page: Page) -> Step:
        """The validators are kept from the first page alone; an empty page ends the walk."""
        said = refusal_of(page)
        if said and not said.startswith(_SHORTER):
            raise SourceError(self.source, said, permanent=False)
        kept = {key: value for key, value in state.items() if key != "older"}
        if ask.turn == "page":
            kept |= {key: value for key, value in page.watermark.items() if key in ("etag", "last_modified")}
        if page.next and page.posts and page.next != ask.url:
            return Step(state=kept | {"older": page.next}, ask=Ask(url=page.next, turn="older"))
        return Step(state=kept)
