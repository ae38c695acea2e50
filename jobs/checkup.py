"""What `doctor` says of each store: where it is, how fast it answers, and how it feels where it can tell."""

from collections.abc import Mapping
from contextlib import closing
from time import perf_counter
from typing import Protocol, runtime_checkable

from claimwatch import settings, stores
from claimwatch.ledger import decisions


@runtime_checkable
class Healthy(Protocol):
    """A store that has more to say than that it answers."""

    def health(self) -> str:
        """One line, such as the state of its cluster; StoreError or ConfigError where it cannot be worked with."""
        ...


def ledger_line(where: settings.Places, environment: Mapping[str, str]) -> str:
    """Where the ledger is and how it answers; its tables are brought to this version."""
    address = settings.load(where.config, environment).stores.ledger
    credentials = settings.credentials(environment)
    with closing(stores.open_ledger(address, where.data, credentials=credentials)) as ledger:
        begun = perf_counter()
        with ledger.read() as db:
            waiting = decisions.count_waiting(db)
        return f"{ledger.place}: {_answered(begun)}, {waiting} decisions wait to reach the posts{_health(ledger)}"


def posts_line(where: settings.Places, environment: Mapping[str, str]) -> str:
    """Where the posts are and how they answer."""
    chosen = settings.load(where.config, environment).stores
    credentials = settings.credentials(environment)
    with closing(stores.open_posts(chosen.posts, where.data, credentials=credentials, ca=chosen.ca)) as posts:
        begun = perf_counter()
        cards = sum(posts.count_cards().values())
        # An address holds no password: the settings refuse one.
        place = str(where.data / "posts.db") if chosen.posts == "sqlite" else chosen.posts
        return f"{place}: {_answered(begun)}, {cards} cards{_health(posts)}"


def _answered(begun: float) -> str:
    return f"answered in {(perf_counter() - begun) * 1000:.0f} ms"


def _health(store: object) -> str:
    return f", {store.health()}" if isinstance(store, Healthy) else ""
