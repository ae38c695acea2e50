"""How a Mastodon hashtag is asked: back in time once, by the server's own links; then onward from the newest post."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from pydantic import Field

from claimwatch.errors import SourceError
from crawlers.page import Page
from crawlers.plan import Ask, KindSettings, Step

#: Posts of other servers arrive late, under ids made of their own time: look back so many hours (CRAWLING.md 4.3).
_OVERLAP_HOURS = 6
#: A Mastodon id is milliseconds since the epoch, shifted by 16 bits; smaller ones are of servers that count.
_SNOWFLAKE = 1 << 50
_PAGE = 40


class MastodonSettings(KindSettings):
    """One hashtag, as one server sees it."""

    base_url: str = Field("https://mastodon.social", pattern=r"^https?://", description="The server to ask.")
    hashtag: str = Field(min_length=1, pattern=r"^[^#/?\s]+$", description="The hashtag, without #.")


class HashtagPlan:
    """Backfills by Link rel=next to the oldest wanted post, then polls by min_id, oldest new post first."""

    #: Turns whose refusal the plan judges itself: a server need not describe itself.
    hears_refusals = frozenset({"instance"})

    def __init__(self, source: str, settings: MastodonSettings) -> None:
        self.source = source
        self.base = settings.base_url.rstrip("/")
        self.timeline = f"{self.base}/api/v1/timelines/tag/{quote(settings.hashtag)}"

    def first(self, state: Mapping[str, Any]) -> Ask:
        """The server's own rules before the very first page; else where the last crawl stopped."""
        if "newest" not in state and not state.get("asked"):
            return Ask(url=f"{self.base}/api/v2/instance", turn="instance")
        if older := state.get("older"):
            return Ask(url=str(older), turn="older")
        return self._newer(str(state["newest"]), overlap=True) if state.get("newest") else self._newest()

    def after(self, ask: Ask, state: Mapping[str, Any], page: Page) -> Step:
        """The cursor after a page: newest id kept, and the older page still owed."""
        if ask.turn == "instance":
            self._admitted(page)
            return Step(state={**state, "asked": True}, ask=self._newest())
        newest = _later(str(state.get("newest") or ""), str(page.watermark.get("newest_id") or ""))
        kept = {**state, "newest": newest} if newest else dict(state)
        if ask.turn == "newer":
            return self._after_newer(ask, kept, page)
        return self._after_older(kept, page)

    def _after_older(self, kept: Mapping[str, Any], page: Page) -> Step:
        rest = {key: value for key, value in kept.items() if key != "older"}
        if page.next and (page.posts or page.dropped):
            return Step(state={**rest, "older": page.next}, ask=Ask(url=page.next, turn="older"))
        return Step(state=rest)

    def _after_newer(self, ask: Ask, kept: Mapping[str, Any], page: Page) -> Step:
        """Onward until a page brings nothing newer than where it started."""
        reached = str(page.watermark.get("newest_id") or "")
        if not reached or _later(reached, ask.mark) == ask.mark:
            return Step(state=kept)
        return Step(state=kept, ask=self._newer(reached, overlap=False))

    def _admitted(self, page: Page) -> None:
        if page.watermark.get("hashtag_feeds") in ("disabled", "authenticated"):
            reason = "this server shows hashtags to signed-in users only: choose another base_url"
            raise SourceError(self.source, reason, permanent=True)

    def _newest(self) -> Ask:
        return Ask(url=f"{self.timeline}?{urlencode({'limit': _PAGE})}", turn="newest")

    def _newer(self, than: str, *, overlap: bool) -> Ask:
        start = _hours_before(than, _OVERLAP_HOURS) if overlap else than
        return Ask(url=f"{self.timeline}?{urlencode({'limit': _PAGE, 'min_id': start})}", turn="newer", mark=start)


def _hours_before(post: str, hours: int) -> str:
    if not post.isdigit() or int(post) < _SNOWFLAKE:
        return post
    return str(int(post) - ((hours * 3_600_000) << 16))


def _later(left: str, right: str) -> str:
    """The later of two ids: by number where both are numbers, else by length and letters."""
    return max(left, right, key=lambda one: (len(one.lstrip("0")), one))
