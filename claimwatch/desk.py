"""What every stage is handed: the stores, the keys, the settings and the clock of one installation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from claimwatch.clock import Clock
from claimwatch.keys import Keys
from claimwatch.ledger.base import Ledger
from claimwatch.posts.base import Posts
from claimwatch.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One open installation. Only `jobs` opens one."""

    settings: Settings
    posts: Posts
    ledger: Ledger
    keys: Keys
    clock: Clock
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)  #: of sources, by variable name

    def now(self) -> datetime:
        """The instant that records and reports carry."""
        return self.clock.now()

    def close(self) -> None:
        """Let go of both stores."""
        self.posts.close()
        self.ledger.close()
