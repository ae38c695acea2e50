"""Both stores of a desk kept in a folder, and brought back: SQLite files, or a dump where pg_dump is installed."""

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from claimwatch import __version__, keys, settings
from claimwatch.desk import Desk
from claimwatch.errors import ClaimwatchError, ConfigError, StoreError
from claimwatch.ledger import copying, counts, facts
from claimwatch.ledger.base import Ledger
from claimwatch.ledger.tables import author_keys, metadata
from claimwatch.posts.copying import copy_posts, is_empty, measure
from claimwatch.posts.sqlite import SqlitePosts
from jobs.moving import Advance, Opener, settle
from jobs.opening import opened

_LIST = "backup.json"
_FILE, _DUMP, _POSTS = "ledger.db", "ledger.dump", "posts.db"
_TABLES = [f"--table={name}" for name in (*sorted(metadata.tables), "alembic_version")]
_DUMPING = ["pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--exclude-table-data={author_keys.name}"]
_RESTORING = ["pg_restore", "--clean", "--if-exists", "--single-transaction", "--no-owner", "--no-privileges"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What lies in a backup's folder."""

    ledger: str  #: file name
    posts: str
    keys: str  #: fingerprints of the desk's keys; the keys themselves are not in a backup
    made_at: str
    version: str = __version__
    finished: bool = False


def back_up(desk: Desk, opener: Opener, folder: Path, advance: Advance) -> Backup:
    """Copy both stores into a folder while the desk is at work; an earlier backup there is brought up to date.

    The ledger comes first: a cursor that is behind its posts makes a crawl repeat a page, one ahead would lose it.
    """
    chosen = desk.settings.stores
    with desk.ledger.read() as db:
        kept = Backup(ledger=_FILE, posts=_POSTS, keys=facts.fingerprints(db), made_at=desk.now().isoformat())
        purged = counts.committed(db)
    with _told(folder):
        _begin(folder, kept)
        kept = replace(kept, ledger=_keep_ledger(desk.ledger, chosen.ledger, opener, folder, advance))
        _keep_posts(desk, chosen.posts, opener, folder, advance)
        with desk.ledger.read() as db:
            if counts.committed(db) != purged:
                raise ClaimwatchError(f"{folder}: a purge ran meanwhile and the two copies do not fit: run it again")
        (folder / (_DUMP if kept.ledger == _FILE else _FILE)).unlink(missing_ok=True)
        kept = replace(kept, finished=True)
        _write(folder, kept)
    return kept


def restore(
    config: Path | None, environment: Mapping[str, str], folder: Path, *, over: bool, advance: Advance
) -> list[str]:
    """Bring both stores back into those of the settings; what does not fit. `over` gives up what they hold."""
    where = settings.places(environment, config)
    chosen = settings.load(where.config, environment)
    kept = _read(folder)
    _check_keys(kept, keys.load(environment, where.keys))
    if kept.ledger == _DUMP and chosen.stores.ledger == "sqlite":
        raise ConfigError(f"{folder / _DUMP}: is a dump of PostgreSQL: name a PostgreSQL in stores.ledger")
    opener = Opener(data=where.data, credentials=settings.credentials(environment), ca=chosen.stores.ca)
    _refuse_used(opener, chosen.stores, over=over)
    with _told(folder):
        _restore_ledger(kept, folder, opener, chosen.stores.ledger, advance)
        if chosen.stores.posts == "sqlite":
            _copy_file(folder / _POSTS, where.data / _POSTS)
    with opened(config, environment) as (desk, _), closing(SqlitePosts(folder / _POSTS)) as source:
        if chosen.stores.posts == "sqlite":
            return settle(desk, desk.posts, measure(source, advance), advance).differing
        return settle(desk, desk.posts, copy_posts(source, desk.posts, desk.now(), advance), advance).differing


def _keep_ledger(ledger: Ledger, address: str, opener: Opener, folder: Path, advance: Advance) -> str:
    """The name of the file in which the ledger now lies."""
    if address == "sqlite":
        _copy_file(opener.data / _FILE, folder / _FILE)
        with closing(sqlite3.connect(folder / _FILE)) as copied:
            copied.execute(f"DELETE FROM {author_keys.name}")  # noqa: S608  our own table's name
            copied.commit()
            copied.execute("VACUUM")
        return _FILE
    dumping = [*_DUMPING, *_TABLES, f"--file={folder / _DUMP}", f"--dbname={address}"]
    if shutil.which(_DUMPING[0]) and not _complaint(dumping, opener):
        return _DUMP
    (folder / _DUMP).unlink(missing_ok=True)
    (folder / _FILE).unlink(missing_ok=True)
    with closing(Ledger.open(folder / _FILE)) as copied_to:
        copying.copy_ledger(ledger, copied_to, advance)
    return _FILE


def _keep_posts(desk: Desk, address: str, opener: Opener, folder: Path, advance: Advance) -> None:
    if address == "sqlite":
        _copy_file(opener.data / _POSTS, folder / _POSTS)
        return
    desk.posts.refresh()
    with closing(SqlitePosts(folder / _POSTS)) as target:
        copy_posts(desk.posts, target, desk.now(), advance)


def _restore_ledger(kept: Backup, folder: Path, opener: Opener, address: str, advance: Advance) -> None:
    if kept.ledger == _DUMP:
        if complaint := _complaint([*_RESTORING, f"--dbname={address}", str(folder / _DUMP)], opener):
            raise StoreError(f"{folder / _DUMP}: pg_restore says: {complaint}: nothing was changed")
        return
    if address == "sqlite":
        _copy_file(folder / _FILE, opener.data / _FILE)
        return
    with closing(Ledger.open(folder / _FILE)) as source, closing(opener.ledger(address)) as target:
        copying.empty(target)
        copying.copy_ledger(source, target, advance)


def _refuse_used(opener: Opener, chosen: settings.Stores, *, over: bool) -> None:
    """Nothing is written over unasked, and an Elasticsearch never: emptied, it would remember what to refuse."""
    with closing(opener.ledger(chosen.ledger)) as ledger, closing(opener.posts(chosen.posts)) as posts:
        if copying.is_used(ledger) and not over:
            raise ConfigError(f"{ledger.place}: is in use: give it up with --replace, or name another in stores.ledger")
        full = not is_empty(posts)
    if full and chosen.posts != "sqlite":
        raise ConfigError("the posts store holds posts: name a new prefix in stores.posts and restore into that")
    if full and not over:
        raise ConfigError("the posts store holds posts: give them up with --replace, or name another in stores.posts")


def _check_keys(kept: Backup, here: keys.Keys) -> None:
    for name, value in here.fingerprints().items():
        if f"{name}={value}" not in kept.keys.split():
            raise ConfigError(
                f"the {name} key is not the one of this backup: put CLAIMWATCH_{name.upper()}_KEY back first"
            )


def _begin(folder: Path, kept: Backup) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if (folder / _LIST).exists():
        if _listed(folder).keys != kept.keys:
            raise ConfigError(f"{folder}: holds the backup of another desk: name another folder")
    elif any((folder / name).exists() for name in (_FILE, _DUMP, _POSTS)):
        raise ConfigError(f"{folder}: holds stores that are no backup: name another folder")
    _write(folder, kept)


def _read(folder: Path) -> Backup:
    if not (folder / _LIST).exists():
        raise ConfigError(f"{folder}: there is no backup here: name the folder that `claimwatch backup` was given")
    kept = _listed(folder)
    if not kept.finished:
        raise ConfigError(f"{folder}: this backup was never finished: name another")
    return kept


def _listed(folder: Path) -> Backup:
    try:
        return Backup(**json.loads((folder / _LIST).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(f"{folder / _LIST}: cannot be read ({error}): name another backup") from error


def _write(folder: Path, kept: Backup) -> None:
    draft = folder / f"{_LIST}.new"
    draft.write_text(json.dumps(asdict(kept), indent=1) + "\n", encoding="utf-8")
    draft.replace(folder / _LIST)


def _copy_file(source: Path, target: Path) -> None:
    """A SQLite file as it stands, read and written through SQLite: either may be in use."""
    if not source.exists():
        raise ConfigError(f"{source}: there is no such file: check CLAIMWATCH_DATA, or name another backup")
    target.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)


def _complaint(command: list[str], opener: Opener) -> str:
    """What a tool of PostgreSQL's ends with, in one line; "" where it did its work."""
    password = opener.credentials.get("CLAIMWATCH_POSTGRES_PASSWORD")
    environment = os.environ | ({"PGPASSWORD": password} if password else {}) | {"PGCONNECT_TIMEOUT": "10"}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    except FileNotFoundError:
        return f"{command[0]} is not installed: install PostgreSQL's client programs"
    last = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[0]
    return last if done.returncode else ""


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise ClaimwatchError(f"{folder}: stopped ({error}): mend that and run it again") from error
