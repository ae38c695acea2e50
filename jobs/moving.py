"""Copies of a desk's stores between the places where they may live."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from claimwatch import settings, stores
from claimwatch.desk import Desk
from claimwatch.errors import ConfigError
from claimwatch.ledger import facts
from claimwatch.ledger.base import Ledger
from claimwatch.posts.base import Posts
from claimwatch.posts.copying import copy_posts, is_empty, measure
from claimwatch.projector import reproject

Advance = Callable[[int], None]
#: The fact that names the store into which a copy of the posts was begun.
_BEGUN = "posts.copy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opener:
    """Opens stores by address: as in the settings, or `sqlite:/folder` for the files of another folder."""

    data: Path
    credentials: Mapping[str, str]
    ca: str = ""

    def ledger(self, address: str, *, existing: bool = False) -> Ledger:
        """The ledger at an address; `existing` refuses to make a file where there is none."""
        kind, folder = self._placed(address)
        _checked(ledger=kind)
        if existing and kind == "sqlite":
            _there(folder / "ledger.db")
        return stores.open_ledger(kind, folder, credentials=self.credentials)

    def posts(self, address: str, *, existing: bool = False) -> Posts:
        """The posts store at an address, as `ledger`."""
        kind, folder = self._placed(address)
        _checked(posts=kind)
        if existing and kind == "sqlite":
            _there(folder / "posts.db")
        return stores.open_posts(kind, folder, credentials=self.credentials, ca=self.ca)

    def name(self, address: str) -> str:
        """The address in full, to tell whether two are the same."""
        kind, folder = self._placed(address)
        return f"sqlite:{folder.resolve()}" if kind == "sqlite" else kind

    def _placed(self, address: str) -> tuple[str, Path]:
        kind, colon, folder = address.partition(":")
        if kind == "sqlite":
            return kind, Path(folder) if colon else self.data
        return address, self.data


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """How much of each kind a copy of the posts found and how much its target has."""

    source: Mapping[str, int]
    target: Mapping[str, int]

    @property
    def differing(self) -> list[str]:
        """The kinds that did not come over whole. Tombstones of the target's own are no fault."""
        return sorted(
            kind
            for kind in {*self.source, *self.target}
            if self.source.get(kind, 0) > self.target.get(kind, 0)
            or (kind != "tombstones" and self.source.get(kind, 0) < self.target.get(kind, 0))
        )


def different(opener: Opener, source: str, target: str) -> None:
    """Refuse a copy onto itself."""
    if opener.name(source) == opener.name(target):
        raise ConfigError(f"{source} and {target} are the same store: name two")


def move_posts(desk: Desk, source: Posts, target: Posts, name: str, advance: Advance) -> Moved:
    """Copy posts into an empty store, or finish such a copy; then write the ledger's decisions onto them.

    The ledger remembers under `name` what was begun, so that a store in use is never written over.
    """
    source.refresh()
    target.refresh()
    _begin(desk, target, name)
    found = copy_posts(source, target, desk.now(), advance)
    moved = settle(desk, target, found, advance)
    if not moved.differing:
        with desk.ledger.write() as db:
            facts.drop(db, _BEGUN)
    return moved


def settle(desk: Desk, target: Posts, found: Counter[str], advance: Advance) -> Moved:
    """Write the ledger's decisions onto copied posts and compare what was found with what is there."""
    reproject(replace(desk, posts=target))
    target.refresh()
    return Moved(source=found, target=measure(target, advance))


def _begin(desk: Desk, target: Posts, name: str) -> None:
    with desk.ledger.write() as db:
        if facts.get(db, _BEGUN) != name and not is_empty(target):
            raise ConfigError(f"{name}: holds posts already: name an empty folder or another prefix")
        facts.put(db, _BEGUN, name)


def _checked(**address: str) -> None:
    try:
        settings.Stores(**address)
    except ValidationError as error:
        raise ConfigError(str(error.errors()[0]["msg"]).removeprefix("Value error, ")) from error


def _there(file: Path) -> None:
    if not file.exists():
        raise ConfigError(f"{file}: there is no such file: name the folder that holds it, as sqlite:/folder")
