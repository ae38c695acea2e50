"""How a page's posts are asked: newest first, each with its newest comments, back to what is known."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from pydantic import Field

from claimwatch.errors import SourceError
from crawlers.outcomes import refusal_of
from crawlers.page import Page
from crawlers.plan import Ask, KindSettings, Step

#: Refusals of one page alone: its cursor has expired, or leads nowhere by now. After others the crawl ends.
_PASSED_OVER = ("bad_request", "gone", "not_found")
_PAGE = 25
_COMMENTS = 50
#: Nothing that names a commenter is asked for: `from` of a comment needs a permission we do not want.
_COMMENT = (
    "id,message,message_tags,created_time,like_count,comment_count,permalink_url,parent{id},attachment,is_hidden,"
    "is_private"
)
_POST = (
    "id,from{id,name},message,message_tags,story,created_time,permalink_url,shares,privacy,is_published,"
    "attachments{type,media_type,title,description,description_tags,subattachments},reactions.limit(0).summary(true)"
)


class FacebookSettings(KindSettings):
    """One page. Facebook answers with a token that has Page Public Content Access, or is the page's own."""

    page: str = Field(pattern=r"^[\w.]{2,80}$", description="The page's number, or the name in its address.")
    comments: bool = Field(True, description="Whether the newest comments are read with each post.")
    base_url: str = Field("https://graph.facebook.com", pattern=r"^https?://", description="The interface to ask.")
    version: str = Field("v23.0", pattern=r"^v\d{1,3}\.\d$", description="The version of the Graph API.")
    token_env: str = Field("CLAIMWATCH_FACEBOOK_TOKEN", description="The variable that holds the access token.")
    credential: str = Field("", repr=False, description="Filled in at run time from `token_env`; never written down.")


class PagePlan:
    """Posts newest first, down to the newest of the last crawl; the first page is read each time for its comments."""

    #: Turns whose refusal is handed to `after`: it would bar the source for ever, for it is asked first the next time.
    hears_refusals = frozenset({"older"})

    def __init__(self, source: str, settings: FacebookSettings) -> None:
        self.source = source
        self.settings = settings

    def first(self, state: Mapping[str, Any]) -> Ask:
        """The older page that a killed crawl was about to ask, else the newest posts."""
        if not self.settings.credential:
            raise SourceError(self.source, f"set {self.settings.token_env} first", permanent=True)
        older = state.get("older")
        return self._ask(str(older), "older") if older else self._ask(self._newest(), "newest")

    def after(self, ask: Ask, state: Mapping[str, Any], page: Page) -> Step:
        """The cursor after a page. Facebook's `next` alone ends the walk, for a page may be empty between others."""
        said = refusal_of(page)
        if said and not said.startswith(_PASSED_OVER):
            raise SourceError(self.source, said, permanent=said.startswith("login_needed"))
        kept = {key: value for key, value in state.items() if key != "older"}
        if said and ask.turn == "older":
            kept["newest_at"] = str(state.get("until") or "")  # what lies between is walked anew the next time
        if ask.turn == "newest":
            before = str(state.get("newest_at") or "")
            kept |= {"until": before, "newest_at": max(before, str(page.watermark.get("newest_at") or ""))}
        oldest, until = str(page.watermark.get("oldest_at") or ""), str(kept.get("until") or "")
        met = bool(oldest and until) and oldest <= until
        if page.next and page.next != ask.url and not met:
            return Step(state=kept | {"older": page.next}, ask=self._ask(page.next, "older"))
        return Step(state={key: value for key, value in kept.items() if key != "until"})

    def _newest(self) -> str:
        comments = (
            f"comments.filter(stream).order(reverse_chronological).limit({_COMMENTS}).summary(true){{{_COMMENT}}}"
        )
        fields = f"{_POST},{comments if self.settings.comments else 'comments.limit(0).summary(true)'}"
        base = f"{self.settings.base_url.rstrip('/')}/{self.settings.version}/{self.settings.page}/posts"
        return f"{base}?{urlencode({'fields': fields, 'limit': _PAGE})}"

    def _ask(self, url: str, turn: str) -> Ask:
        return Ask(url=url, headers={"Authorization": f"Bearer {self.settings.credential}"}, turn=turn)
