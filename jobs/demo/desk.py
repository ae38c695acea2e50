"""The desk that the demo plays at: constant secrets, one number format, no waits, on any stores."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from claimwatch.clock import Clock
from claimwatch.desk import Desk
from claimwatch.keys import Keys
from claimwatch.settings import Classify, Crawl, Settings, Stores
from claimwatch.settings import Desk as DeskSettings
from claimwatch.stores import open_ledger, open_posts


def demo_settings(stores: Stores) -> Settings:
    """A desk that runs the same on every machine: float32, no waits, one timezone."""
    return Settings(
        desk=DeskSettings(name="claimwatch demo", contact="https://example.org/claimwatch"),
        stores=stores,
        crawl=Crawl(delay=0),
        classify=Classify(variant="float32", audit_per_day=0),
    )


def demo_keys() -> Keys:
    """Constant secrets, so that ids are the same everywhere. Never used for anything but the demo."""
    return Keys(id=b"demo id key" * 4, seal=b"demo seal key" * 4, session=b"demo session key" * 4)


def open_demo_desk(settings: Settings, clock: Clock, folder: Path = Path()) -> Desk:
    """A desk with the demo's keys; `folder` holds what `sqlite` names."""
    return Desk(
        settings=settings,
        posts=open_posts(settings.stores.posts, folder, credentials={}),
        ledger=open_ledger(settings.stores.ledger, folder, credentials={}),
        keys=demo_keys(),
        clock=clock,
    )


@contextmanager
def fresh_stores(elasticsearch: str, postgres: str) -> Iterator[Stores]:
    """Empty stores of the demo's own on two servers, deleted at the end; nothing else there is touched.

    `elasticsearch` is one or more addresses with commas between, `postgres` a database whose user may make others.
    """
    import psycopg
    from elasticsearch import Elasticsearch

    name = f"claimwatch-demo-{uuid.uuid4().hex[:8]}"
    hosts = elasticsearch.split(",")
    scheme, bare = hosts[0].split("://")[0], ",".join(host.split("://")[1] for host in hosts)
    with psycopg.connect(postgres, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
    try:
        yield Stores(posts=f"elasticsearch+{scheme}://{bare}/{name}", ledger=f"{postgres.rpartition('/')[0]}/{name}")
    finally:
        with psycopg.connect(postgres, autocommit=True) as server:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        with Elasticsearch(hosts, request_timeout=60) as client:
            for index in client.indices.get(index=f"{name}-*", expand_wildcards="all"):
                client.indices.delete(index=index)
            for template in client.indices.get_index_template(name=f"{name}*")["index_templates"]:
                client.indices.delete_index_template(name=template["name"])
