"""What is asked about posts that are looked up, and what the answers mean for each: pure, as every plan is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from claimwatch.errors import SourceError
from crawlers.lookup import Lookup
from crawlers.outcomes import refusal_of
from crawlers.page import Page
from crawlers.plan import Ask, Step
from crawlers.signin import SignIn

#: Reasons to leave a listed post out that say nothing of whether it may be kept.
_STANDS = frozenset({"repeated", "repost", "empty"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a source's own server is asked."""

    base: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  #: may hold a credential
    sign_in: SignIn | None = None
    settings: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Posts of one source that one server can tell of."""

    source: str
    platform: str
    server: str
    lookup: Lookup
    posts: Mapping[str, str]  #: post ids by the ids that the server knows them by
    way: Way


class LookupPlan:
    """Asks after posts in batches, and after one that is missing once more where the platform can tell why."""

    hears_refusals = frozenset({"one"})

    def __init__(self, question: Question, identify: Callable[[str], str]) -> None:
        self.source = question.source
        self.lookup = question.lookup
        self.server = question.server
        self.posts = question.posts
        self.sign_in = question.way.sign_in
        self.settings = question.way.settings
        self.gone: set[str] = set()  #: posts that may no longer be kept
        self.stands: set[str] = set()
        self._headers = question.way.headers
        self._identify = identify
        self._waiting = list(question.posts)
        self._missing: list[str] = []

    def first(self, state: Mapping[str, Any]) -> Ask:  # noqa: ARG002  a lookup has no cursor
        """The first batch."""
        return self._batch(self._waiting[: self.lookup.at_once])

    def after(self, ask: Ask, state: Mapping[str, Any], page: Page) -> Step:
        """What the answer says of the posts asked for, and the next question. SourceError where it says nothing."""
        asked = ask.mark.split("\n")
        if ask.turn == "many":
            self._after_batch(asked, page)
            self._waiting = self._waiting[len(asked) :]
        else:
            self._after_one(asked[0], page)
        return Step(state=state, ask=self._next())

    def _after_batch(self, asked: Sequence[str], page: Page) -> None:
        if said := refusal_of(page):
            raise SourceError(self.source, said, permanent=False)
        shown = self._judge(page)
        missing = [native for native in asked if self.posts[native] not in shown]
        if self.lookup.one is not None:
            self._missing = missing
        elif len(missing) < len(asked) or len(asked) == 1:
            # A server that knows none of several posts is more likely ill than right.
            self.gone.update(self.posts[native] for native in missing)

    def _after_one(self, native: str, page: Page) -> None:
        said = refusal_of(page)
        if said.startswith(("not_found", "gone")):
            self.gone.add(self.posts[native])
        elif said:
            raise SourceError(self.source, said, permanent=False)
        else:
            self._judge(page)

    def _judge(self, page: Page) -> set[str]:
        """The posts that a page tells of: those that stand, and those that may no longer be kept."""
        stands = {self._identify(found.uri) for found in page.posts}
        stands |= {self._identify(one.uri) for one in page.dropped if one.reason in _STANDS}
        hidden = {self._identify(one.uri) for one in page.dropped if one.reason not in _STANDS} - stands
        known = set(self.posts.values())
        self.stands |= stands & known
        self.gone |= hidden & known
        return stands | hidden | {self._identify(one.uri) for one in page.rejected}

    def _next(self) -> Ask | None:
        if self._missing and self.lookup.one is not None:
            native = self._missing.pop(0)
            return self._ask(self.lookup.one(self.server, native), "one", native)
        return self._batch(self._waiting[: self.lookup.at_once]) if self._waiting else None

    def _batch(self, natives: Sequence[str]) -> Ask:
        return self._ask(self.lookup.many(self.server, natives), "many", "\n".join(natives))

    def _ask(self, url: str, turn: str, mark: str) -> Ask:
        return Ask(url=url, headers=self._headers, turn=turn, mark=mark)
