"""Where a Discourse forum lives, and the addresses it gives its posts."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

_PAGES = re.compile(r"/(?:latest|new|top|hot|posts|search|t|c|tag|u|categories)(?=[/.?]|$).*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Forum:
    """A forum by the address of one of its pages; without one its posts have addresses from the root on."""

    base: str  #: without a slash at the end; "" where unknown

    @property
    def host(self) -> str:
        """The host, with the folder of a forum that has one; "" where unknown."""
        return self.base.partition("://")[2]

    def uri(self, topic: str, number: str) -> str:
        """The address of a post, without the title's words; "" where a part is missing."""
        return f"{self.base}/t/{topic}/{number}" if topic.isdecimal() and number.isdecimal() else ""

    def topic_uri(self, topic: str) -> str:
        """The address of a topic as a whole; "" where it has no number."""
        return f"{self.base}/t/{topic}" if topic.isdecimal() else ""

    def account(self, user: str) -> str:
        """The stable id of an account of this forum."""
        return f"{self.host}:{user}" if user else ""


def forum_of(url: str) -> Forum:
    """The forum that a page's address belongs to."""
    parts = split(url)
    if parts is None:
        return Forum("")
    return Forum(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{_PAGES.sub('', parts.path).rstrip('/')}")


def split(url: str) -> SplitResult | None:
    """The parts of a web address, None where it is none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") and parts.netloc else None
