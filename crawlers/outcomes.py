"""Sorts what one answer holds, so that each thing ends in exactly one outcome, and reads its fields unharmed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crawlers.answers import error_page_of, is_cut_off
from crawlers.page import Dropped, Found, Page

#: Codes of a problem that says why nothing was given.
_REFUSALS = frozenset(
    {
        "bad_request",
        "disabled",
        "forbidden",
        "gone",
        "login_needed",
        "not_found",
        "rate_limited",
        "refused",
        "unavailable",
    }
)
#: Letters of a rejected post that are set aside for the operator.
_ROW = 500


@dataclass(slots=True)
class Outcomes:
    """The posts of one page, as they are sorted out. A post met twice on a page is kept once."""

    posts: dict[str, Found] = field(default_factory=dict)
    dropped: list[Dropped] = field(default_factory=list)
    rejected: list[Dropped] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)  #: further problems

    def keep(self, found: Found) -> None:
        """Take a post in, unless it says nothing or was taken in before."""
        if not found.text:
            self.drop(found.uri, "empty")
        elif found.uri in self.posts:
            self.drop(found.uri, "repeated")
        else:
            self.posts[found.uri] = found

    def drop(self, uri: str, reason: str) -> None:
        """Leave a post out for a reason of one word."""
        self.dropped.append(Dropped(uri=uri, reason=reason))

    def reject(self, uri: str, reason: str, row: str = "") -> None:
        """Set a post aside that cannot be read; `row` is what it says, scrubbed."""
        self.rejected.append(Dropped(uri=uri, reason=reason, row=row[:_ROW]))

    def page(self, *, next_: str | None = None, watermark: Mapping[str, str] | None = None) -> Page:
        """All that was read, with the problems that it had."""
        return Page(
            posts=tuple(self.posts.values()),
            dropped=tuple(self.dropped),
            rejected=tuple(self.rejected),
            next=next_,
            watermark=watermark or {},
            problems=tuple(self._problems()),
        )

    def _problems(self) -> Iterator[str]:
        undated = sum(found.created_at is None for found in self.posts.values())
        if undated:
            yield f"undated: {undated} posts have no usable date"
        if not (self.posts or self.dropped or self.rejected):
            yield "empty: nothing new"
        elif self.rejected and not (self.posts or self.dropped):
            yield f"unreadable: none of {len(self.rejected)} posts could be read"
        elif not self.posts:
            yield f"empty: all {len(self.dropped)} posts are left out by rule"
        yield from self.remarks


def unreadable(body: bytes, headers: Mapping[str, str]) -> Page:
    """The page of a body that is no JSON: an error page, a broken-off answer, or nothing of ours."""
    if not body.strip():
        return Page(problems=("empty: the answer has no body",))
    problem = error_page_of(body, headers)
    if problem:
        return Page(problems=(problem,))
    if is_cut_off(body):
        return Page(problems=("cut_off: the JSON ends before its end",), understood=False)
    return Page(problems=("not_json: the answer is no JSON",), understood=False)


def refusal_of(page: Page) -> str:
    """The problem by which a page is a refusal, or cannot be read; "" where it is an answer."""
    if not page.understood:
        return page.problems[0] if page.problems else "unreadable: the answer is not of this kind"
    return next((said for said in page.problems if said.partition(":")[0] in _REFUSALS), "")


def text_of(holder: object, *path: str) -> str:
    """The text at the end of the keys, numbers as text; "" where there is none."""
    value = inside(holder, *path)
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**30 else ""


def count_of(holder: object, *path: str) -> int | None:
    """The count at the end of the keys, None where there is none. Some interfaces write counts as text."""
    value = inside(holder, *path)
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 17:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else None


def objects_of(holder: object, *path: str) -> Sequence[Mapping[str, Any]]:
    """The objects in the list at the end of the keys; what else is in the list is passed over."""
    listed = inside(holder, *path)
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def inside(holder: object, *path: str) -> Any:
    """What is at the end of the keys, None where the way is barred."""
    for key in path:
        holder = holder.get(key) if isinstance(holder, dict) else None
    return holder
