"""Opens an installation: settings, keys, stores, claim library and sources. Everything else is handed the result."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from sqlalchemy import Connection

from claimwatch import keys, settings, stores
from claimwatch.clock import Clock, SystemClock
from claimwatch.desk import Desk
from claimwatch.errors import ConfigError
from claimwatch.ledger import claims, facts, secrets, sources
from claimwatch.projector import project_decisions
from claimwatch.records import Claim, Evidence, Source, Verdict


@contextmanager
def opened(
    config: Path | None, environment: Mapping[str, str], *, clock: Clock | None = None
) -> Iterator[tuple[Desk, settings.Places]]:
    """An installation, ready: migrated, seeded, with every earlier decision projected. Closed at the end."""
    where = settings.places(environment, config)
    desk = open_desk(where, environment, clock=clock or SystemClock())
    try:
        yield desk, where
    finally:
        desk.close()


def open_desk(where: settings.Places, environment: Mapping[str, str], *, clock: Clock) -> Desk:
    """The desk of these places; refuses bad settings, keys of another desk and bad seeds before anything is written."""
    chosen = settings.load(where.config, environment)
    library, listed = read_library(where.config.parent / "claims"), read_sources(where.config.parent / "sources.yml")
    secret = keys.load(environment, where.keys)
    credentials = settings.credentials(environment)
    ledger = stores.open_ledger(chosen.stores.ledger, where.data, credentials=credentials)
    with ledger.write() as db:
        secrets.check_keys(db, secret.fingerprints())
        _seed(db, library, listed, clock)
    desk = Desk(
        settings=chosen,
        posts=stores.open_posts(chosen.stores.posts, where.data, credentials=credentials, ca=chosen.stores.ca),
        ledger=ledger,
        keys=secret,
        clock=clock,
        credentials=credentials,
    )
    project_decisions(desk)
    return desk


def _seed(db: Connection, library: list[Claim], listed: list[Source], clock: Clock) -> None:
    """Bring in the claim library and sources.yml when they have changed since the last start."""
    digest = hashlib.sha256(repr((library, listed)).encode()).hexdigest()
    if facts.get(db, "seed") != digest:
        seeded = claims.seed(db, library, clock.now())
        sources.seed(db, listed)
        facts.put(db, "seed", digest)
        facts.put(db, "seed.kept", ",".join(seeded.kept))


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Evidence(_Entry):
    publisher: str
    title: str
    link: str = ""


class _Claim(_Entry):
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{2,79}$")
    topic: str = "covid-19"
    harm: int = Field(2, ge=1, le=4)
    harm_reason: dict[str, str] = {}
    statement: dict[str, str] = Field(min_length=1)
    phrasings: dict[str, tuple[str, ...]] = {}
    verdict: Verdict | None = None
    correction: dict[str, str] = {}
    evidence: tuple[_Evidence, ...] = ()


class _Source(_Entry):
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,59}$")
    kind: str
    settings: dict[str, Any] = {}
    language: str = ""
    every: int = Field(30, ge=1)
    expected_per_week: int = Field(0, ge=0)
    enabled: bool = True


_Shape = TypeVar("_Shape", bound=_Entry)


def read_library(folder: Path) -> list[Claim]:
    """The claim library: every YAML file of the folder. ConfigError names file and entry."""
    found = [claim for file in sorted(folder.glob("*.yml")) for claim in _entries(file, _Claim)]
    return [_as_claim(claim) for claim in found]


def read_sources(file: Path) -> list[Source]:
    """The sources a file lists; none where there is no file."""
    return [Source(**entry.model_dump()) for entry in _entries(file, _Source)] if file.exists() else []


def _entries(file: Path, shape: type[_Shape]) -> list[_Shape]:
    values = settings.read_yaml(file) or []
    try:
        return TypeAdapter(list[shape]).validate_python(values)  # type: ignore[valid-type]  # a type held in a variable
    except ValidationError as error:
        first = error.errors()[0]
        number, *path = first["loc"] or (0,)
        name = _name(values, number)
        raise ConfigError(f"{file}: {name}: `{'.'.join(map(str, path))}`: {first['msg']}") from error


def _name(values: Any, number: Any) -> str:
    entry = values[number] if isinstance(values, list) and isinstance(number, int) else None
    named = (entry.get("name") or entry.get("id")) if isinstance(entry, dict) else None
    return str(named or f"entry {number}")


def _as_claim(entry: _Claim) -> Claim:
    values = entry.model_dump()
    return Claim(**(values | {"evidence": tuple(Evidence(**one) for one in values["evidence"])}))
