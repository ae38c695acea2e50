"""The posts of one answer as they are sorted out: kept, left out by rule, or not to be read."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crawlers.page import Dropped, Found, Page


@dataclass
class Sorted:
    """Collects the outcomes of one answer, one per post."""

    posts: dict[str, Found] = field(default_factory=dict)
    dropped: list[Dropped] = field(default_factory=list)
    rejected: list[Dropped] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def keep(self, found: Found) -> None:
        """Keep a post that says something; drop one that does not."""
        if found.text:
            self.posts[found.uri] = found
        else:
            self.drop(found.uri, "empty")

    def drop(self, uri: str, reason: str) -> None:
        """Leave a post out, for a reason of one word."""
        self.dropped.append(Dropped(uri=uri, reason=reason))

    def reject(self, uri: str, reason: str, row: str = "") -> None:
        """Set aside what cannot be read. `row` is scrubbed."""
        self.rejected.append(Dropped(uri=uri, reason=reason, row=row))

    def page(self, *, next_: str | None = None, watermark: Mapping[str, str] | None = None) -> Page:
        """All that was sorted, with the problems that it had."""
        return Page(
            posts=tuple(self.posts.values()),
            dropped=tuple(self.dropped),
            rejected=tuple(self.rejected),
            next=next_,
            watermark=watermark or {},
            problems=(*self.problems, *self._problems()),
        )

    def _problems(self) -> list[str]:
        undated = sum(found.created_at is None for found in self.posts.values())
        problems = [f"undated: {undated} posts have no usable date"] if undated else []
        if not (self.posts or self.dropped or self.rejected):
            problems.append("empty: nothing new")
        elif self.rejected and not (self.posts or self.dropped):
            problems.append(f"unreadable: none of {len(self.rejected)} posts could be read")
        elif not self.posts:
            problems.append(f"empty: all {len(self.dropped)} posts are left out by rule")
        return problems
