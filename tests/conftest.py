"""What many tests share: a desk on temporary stores, and the tiny real encoder."""

import logging
import os
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from claimwatch.clock import FixedClock
from claimwatch.desk import Desk
from claimwatch.keys import Keys
from claimwatch.ledger.base import Ledger
from claimwatch.posts.sqlite import SqlitePosts
from claimwatch.settings import Crawl, Settings

NOW = datetime(2026, 11, 16, 2, 0, tzinfo=UTC)
KEYS = Keys(id=b"test id key" * 4, seal=b"test seal key" * 4, session=b"test session key" * 4)


@pytest.fixture(autouse=True)
def _no_log_left_open() -> Iterator[None]:
    """A command that logs to stderr leaves its handler on a stream that pytest closes after the test."""
    root = logging.getLogger()
    before = list(root.handlers)
    yield
    for handler in [one for one in root.handlers if one not in before and type(one) is logging.StreamHandler]:
        root.removeHandler(handler)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An empty desk that stands still at `NOW`."""
    folder = tmp_path / "desk"
    opened = Desk(
        settings=Settings(crawl=Crawl(delay=0)),
        posts=SqlitePosts(folder / "posts.db"),
        ledger=Ledger.open(folder / "ledger.db"),
        keys=KEYS,
        clock=FixedClock(NOW),
    )
    yield opened
    opened.close()


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """The environment of a command that must leave this machine's own folders alone."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CLAIMWATCH_", "XDG_"))}
    cache = os.environ.get("CLAIMWATCH_CACHE") or str(Path.home() / ".cache/claimwatch")
    return kept | {
        "HOME": str(tmp_path / "home"),
        "CLAIMWATCH_DATA": str(tmp_path / "data"),
        "CLAIMWATCH_CACHE": cache,
        "PYTHONWARNINGS": "error::ResourceWarning",
    }


def at(desk: Desk, instant: datetime) -> Desk:
    """The same desk at another time."""
    return replace(desk, clock=FixedClock(instant))


@pytest.fixture(scope="session")
def elasticsearch_url() -> str:
    """The Elasticsearch that `make test` started or the environment names."""
    return _server("CLAIMWATCH_TEST_ELASTICSEARCH", "Elasticsearch")


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """The PostgreSQL that `make test` started or the environment names."""
    return _server("CLAIMWATCH_TEST_POSTGRES", "PostgreSQL")


@pytest.fixture(scope="session")
def _elasticsearch_templates(elasticsearch_url: str) -> Iterator[str]:
    """A prefix whose templates all tests share: making them takes longer than most tests."""
    from elasticsearch import Elasticsearch

    prefix = f"test-{uuid.uuid4().hex[:12]}"
    yield prefix
    with Elasticsearch(elasticsearch_url.split(","), request_timeout=60) as client:
        client.indices.delete_index_template(name=f"{prefix}*")


@pytest.fixture
def elasticsearch_prefix(elasticsearch_url: str, _elasticsearch_templates: str) -> Iterator[str]:
    """The address of an empty posts store; its indices are deleted after the test."""
    from elasticsearch import Elasticsearch

    hosts = elasticsearch_url.split(",")
    places = ",".join(host.removeprefix("http://") for host in hosts)
    yield f"elasticsearch+http://{places}/{_elasticsearch_templates}"
    with Elasticsearch(hosts, request_timeout=60) as client:
        indices = list(client.indices.get_alias(index=f"{_elasticsearch_templates}-*", allow_no_indices=True))
        if indices:
            client.indices.delete(index=indices)


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """The address of an empty database of this test's own."""
    import psycopg

    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as db:
        db.execute(f'CREATE DATABASE "{name}"')
    yield f"{postgres_url.rpartition('/')[0]}/{name}"
    with psycopg.connect(postgres_url, autocommit=True) as db:
        db.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _server(variable: str, name: str) -> str:
    url = os.environ.get(variable)
    if not url:
        pytest.skip(f"no {name}: {variable} is not set; `make test` starts one")
    return url
