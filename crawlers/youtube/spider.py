"""How a video's or a channel's comments are asked: newest first, back to what is known, with the replies of each."""

from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import urlencode

from pydantic import Field, model_validator

from claimwatch.errors import SourceError
from crawlers.outcomes import refusal_of
from crawlers.page import Page
from crawlers.plan import Ask, KindSettings, Step

_PAGE = 100
#: Threads whose number of replies is remembered, so that only new replies are asked for.
_REMEMBERED = 500
#: Refusals of one page or thread alone: its token has expired, or it is gone by now. After others the crawl ends.
_PASSED_OVER = ("bad_request", "disabled", "forbidden", "gone", "not_found")


class YoutubeSettings(KindSettings):
    """The comments on one video, or on all videos of one channel."""

    video: str = Field("", pattern=r"^([\w-]{11})?$", description="The video's id, the `v` of its address.")
    channel: str = Field("", pattern=r"^(UC[\w-]{22})?$", description="The channel's id, which begins with UC.")
    replies: bool = Field(True, description="Whether replies that the threads do not hold are asked for, one by one.")
    base_url: str = Field("https://www.googleapis.com/youtube/v3", pattern=r"^https?://", description="Where to ask.")
    token_env: str = Field("CLAIMWATCH_YOUTUBE_KEY", description="The variable that holds the API key.")
    credential: str = Field("", repr=False, description="Filled in at run time from `token_env`; never written down.")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.video) == bool(self.channel):
            raise ValueError("give either video or channel")
        return self


class CommentsPlan:
    """Threads by time, newest first, down to the newest of the last crawl; after each page the replies it lacks."""

    #: Turns whose refusal is handed to `after`: it would bar the source for ever, for it is asked first the next time.
    hears_refusals = frozenset({"older", "replies"})

    def __init__(self, source: str, settings: YoutubeSettings) -> None:
        self.source = source
        self.settings = settings
        self.base = settings.base_url.rstrip("/")

    def first(self, state: Mapping[str, Any]) -> Ask:
        """Where the last crawl stopped: the replies owed, the older page owed, else the newest threads."""
        if not self.settings.credential:
            raise SourceError(self.source, f"set {self.settings.token_env} first", permanent=True)
        return self._owed(state) or self._threads()

    def after(self, ask: Ask, state: Mapping[str, Any], page: Page) -> Step:
        """The cursor after a page. A page that repeats the one before it ends the walk, whatever token it gives."""
        said = refusal_of(page)
        if said and not said.startswith(_PASSED_OVER):
            raise SourceError(self.source, said, permanent=said.startswith("login_needed"))
        kept = self._after_replies(ask, state, page) if ask.turn == "replies" else self._after_threads(ask, state, page)
        if said and ask.turn == "older":
            kept["newest_at"] = str(state.get("until") or "")  # what lies between is walked anew the next time
        following = self._owed(kept)
        if following is None:
            kept = {key: value for key, value in kept.items() if key not in ("until", "seen", "owed")}
        return Step(state=kept, ask=following)

    def _after_threads(self, ask: Ask, state: Mapping[str, Any], page: Page) -> dict[str, Any]:
        kept, ids = dict(state), _ids(page)
        older = kept.pop("older", None)
        if ask.turn == "threads":
            kept |= {"until": state.get("newest_at", ""), "seen": []}
            kept["newest_at"] = max(str(page.watermark.get("newest_at") or ""), str(state.get("newest_at") or ""))
        repeated = bool(ids) and set(ids) <= set(kept.get("seen", ()))
        met = bool(kept.get("until")) and str(page.watermark.get("oldest_at") or "") <= str(kept["until"])
        if page.next and ids and not repeated and not met and page.next not in (ask.url, older):
            kept["older"] = page.next
        answered = kept.get("answered", {})
        threads = [each.rpartition(":") for each in str(page.watermark.get("threads") or "").split()]
        wanted = [[name, total] for name, _, total in threads if answered.get(name) != total]
        kept |= {"seen": ids, "owed": wanted if self.settings.replies and not repeated else []}
        return kept

    def _after_replies(self, ask: Ask, state: Mapping[str, Any], page: Page) -> dict[str, Any]:
        ids = _ids(page)
        kept = {key: value for key, value in state.items() if key not in ("replies", "replies_seen")}
        if page.next and ids and not set(ids) <= set(state.get("replies_seen", ())) and page.next != ask.url:
            return kept | {"replies": page.next, "replies_seen": ids}
        # Also where the thread is gone by now: it is not asked for again.
        (name, total), *rest = kept["owed"]
        answered = {**{key: value for key, value in kept.get("answered", {}).items() if key != name}, name: total}
        return kept | {"owed": rest, "answered": dict(list(answered.items())[-_REMEMBERED:])}

    def _owed(self, state: Mapping[str, Any]) -> Ask | None:
        owed = state.get("owed") or ()
        if owed:
            return self._replies(str(owed[0][0]), str(state.get("replies") or ""))
        older = state.get("older")
        return self._ask(str(older), "older") if older else None

    def _threads(self) -> Ask:
        about = {"videoId": self.settings.video} if self.settings.video else {}
        about |= {"allThreadsRelatedToChannelId": self.settings.channel} if self.settings.channel else {}
        query = {"part": "snippet,replies", **about, "order": "time", "maxResults": _PAGE, "textFormat": "plainText"}
        return self._ask(f"{self.base}/commentThreads?{urlencode(query)}", "threads")

    def _replies(self, thread: str, older: str) -> Ask:
        query = {"part": "snippet", "parentId": thread, "maxResults": _PAGE, "textFormat": "plainText"}
        return self._ask(older or f"{self.base}/comments?{urlencode(query)}", "replies", thread)

    def _ask(self, url: str, turn: str, mark: str = "") -> Ask:
        return Ask(url=url, headers={"X-Goog-Api-Key": self.settings.credential}, turn=turn, mark=mark)


def _ids(page: Page) -> list[str]:
    """The canonical ids of all that a page holds, kept or not."""
    return sorted({found.uri for found in page.posts} | {each.uri for each in page.dropped if each.uri})
