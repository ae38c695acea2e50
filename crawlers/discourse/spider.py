"""How a forum is asked: its newest posts, back to what is known; topic by topic where it does not list posts."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from claimwatch.errors import SourceError
from crawlers import walk
from crawlers.page import Page
from crawlers.plan import Ask, KindSettings, Step

#: What a forum answers that has no list of posts for everybody.
_NO_LIST = ("not_found:", "forbidden:", "login_needed:", "gone:", "bad_request:", "refused:", "not_")
#: Posts on one page of a topic.
_CHUNK = 20
#: Topics remembered, by how far each was read.
_REMEMBERED = 1000


class DiscourseSettings(KindSettings):
    """One forum."""

    base_url: str = Field(pattern=r"^https?://", description="The forum's address.")


class ForumPlan:
    """Walks `/posts.json`; where that is closed, the topics of `/latest.json` that have new posts."""

    #: A forum need not list its posts, and a topic may be gone: the plan judges that.
    hears_refusals = frozenset({"posts", "topic"})

    def __init__(self, source: str, settings: DiscourseSettings) -> None:
        self.source = source
        self.base = settings.base_url.rstrip("/")

    def first(self, state: Mapping[str, Any]) -> Ask:
        """The newest posts, the older ones still owed, or the list of topics."""
        if state.get("by") == "topics":
            return self._topic(state) or Ask(url=str(state.get("older") or self._latest), turn="topics")
        if "newest" in state or "older" in state:
            return walk.begin(state, f"{self.base}/posts.json")
        return Ask(url=f"{self.base}/posts.json", turn="posts")

    def after(self, ask: Ask, state: Mapping[str, Any], page: Page) -> Step:
        """The cursor after a page, and the page or topic that follows it."""
        if ask.turn == "topics":
            return self._after_topics(state, page)
        if ask.turn == "topic":
            return self._after_topic(ask, state, page)
        if ask.turn == "posts" and not (page.posts or page.dropped):
            problem = next(iter(page.problems), "")
            if problem.startswith(_NO_LIST):
                return Step(state={**state, "by": "topics"}, ask=Ask(url=self._latest, turn="topics"))
            if not problem.startswith("empty:"):
                raise SourceError(self.source, problem, permanent=False)
        return walk.onward(ask, state, page)

    @property
    def _latest(self) -> str:
        return f"{self.base}/latest.json"

    def _after_topics(self, state: Mapping[str, Any], page: Page) -> Step:
        """Every topic with new posts is owed; the list's next page only where this one was all news."""
        seen = dict(state.get("seen", {}))
        listed = [mark.partition(":") for mark in page.watermark.get("topics", "").split(",") if mark]
        todo = [f"{topic}:{reached}" for topic, _, reached in listed if walk.number(seen.get(topic)) < int(reached)]
        rest = {key: value for key, value in state.items() if key != "older"} | {"todo": todo}
        if page.next and todo and len(todo) == len(listed):
            rest["older"] = page.next
        return self._onward(rest)

    def _after_topic(self, ask: Ask, state: Mapping[str, Any], page: Page) -> Step:
        """The topic's next page, or the next topic; one that is refused is passed over until it has new posts."""
        if page.next and page.next != ask.url and (page.posts or page.dropped):
            return Step(state=state, ask=Ask(url=page.next, turn="topic", mark=ask.mark))
        topic, _, reached = ask.mark.partition(":")
        seen = {key: value for key, value in state.get("seen", {}).items() if key != topic} | {topic: int(reached)}
        kept = dict(list(seen.items())[-_REMEMBERED:])
        return self._onward({**state, "seen": kept, "todo": [each for each in state["todo"] if each != ask.mark]})

    def _onward(self, state: Mapping[str, Any]) -> Step:
        older = state.get("older")
        return Step(state=state, ask=self._topic(state) or (Ask(url=str(older), turn="topics") if older else None))

    def _topic(self, state: Mapping[str, Any]) -> Ask | None:
        """The first topic owed, from the page on which its new posts begin."""
        mark = next(iter(state.get("todo", ())), "")
        topic = mark.partition(":")[0]
        page = walk.number(state.get("seen", {}).get(topic)) // _CHUNK + 1
        query = f"?page={page}" if page > 1 else ""
        return Ask(url=f"{self.base}/t/{topic}.json{query}", turn="topic", mark=mark) if mark else None
