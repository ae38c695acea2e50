"""A crawl that keeps no page and holds no lease: it only asks and shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crawlers.page import Page
from crawlers.spider import Crawl


@dataclass(slots=True, kw_only=True)
class QuietCrawl(Crawl):
    """Asks with the plan it is given, and leaves what comes to it."""

    def keep(self, page: Page, state: Mapping[str, Any]) -> None:  # noqa: ARG002  Crawl's signature
        """Nothing is kept."""
        self.state = dict(state)

    def renew_lease(self) -> None:
        """There is none."""
