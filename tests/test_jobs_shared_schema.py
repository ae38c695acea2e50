"""The queue's tables: made once, whoever comes first, and brought up to date."""

from concurrent.futures import ThreadPoolExecutor

import psycopg  # noqa: TID253  what it tests
import pytest

from claimwatch.errors import ConfigError, StoreError
from jobs.shared import schema
from jobs.shared.counts import Queued, count_jobs
from jobs.shared.schema import SCHEMA, connection_to, prepare

pytestmark = pytest.mark.servers


def noted(address: str) -> str:
    with psycopg.connect(address) as db:
        row = db.execute("SELECT obj_description(oid) FROM pg_namespace WHERE nspname = %s", [SCHEMA]).fetchone()
    return str(row and row[0])


def test_five_workers_that_start_at_once_make_the_tables_once(postgres_database: str) -> None:
    conninfo = connection_to(postgres_database, "")
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(prepare, [conninfo] * 5))
    assert count_jobs(conninfo) == []
    with psycopg.connect(postgres_database) as db:
        found = db.execute("SELECT table_schema FROM information_schema.tables WHERE table_name = 'procrastinate_jobs'")
        assert found.fetchall() == [(SCHEMA,)]


def test_tables_of_an_older_procrastinate_are_migrated(postgres_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    conninfo, all_of_them = connection_to(postgres_database, ""), schema._scripts()
    before = {name: text for name, text in all_of_them.items() if name < "03.02"}
    first, *rest = sorted(before)
    with psycopg.connect(conninfo, autocommit=True) as db:
        db.execute(f"CREATE SCHEMA {SCHEMA}; COMMENT ON SCHEMA {SCHEMA} IS '{first}'".encode())
        db.execute(before[first])
    monkeypatch.setattr(schema, "_scripts", lambda: before)
    prepare(conninfo)
    assert noted(postgres_database) == rest[-1]
    monkeypatch.undo()
    prepare(conninfo)
    assert noted(postgres_database) == max(all_of_them)
    with psycopg.connect(conninfo, autocommit=True) as db:
        db.execute("INSERT INTO procrastinate_jobs (queue_name, task_name) VALUES ('heavy', 'purge')")
        row = db.execute("SELECT task_name FROM procrastinate_fetch_job_v2(NULL, NULL)").fetchone()
    assert row == ("purge",)


def test_jobs_are_counted_by_task_and_state(postgres_database: str) -> None:
    conninfo = connection_to(postgres_database, "")
    prepare(conninfo)
    states = [("crawl", "todo"), ("crawl", "doing"), ("crawl", "doing"), ("purge", "failed"), ("purge", "succeeded")]
    with psycopg.connect(conninfo) as db:
        for task, state in states:
            values = "INSERT INTO procrastinate_jobs (queue_name, task_name, status) VALUES ('heavy', %s, %s)"
            db.execute(values, [task, state])
    assert count_jobs(conninfo) == [
        Queued(task="crawl", waiting=1, doing=2, done=0, failed=0),
        Queued(task="purge", waiting=0, doing=0, done=1, failed=1),
    ]


def test_no_server_is_one_line(postgres_database: str) -> None:
    nobody = connection_to("postgresql://claimwatch@127.0.0.1:1/none", "")
    for use in (prepare, count_jobs):
        with pytest.raises(StoreError, match="the queue of jobs cannot be") as told:
            use(nobody)
        assert "\n" not in str(told.value)


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="not an address"):
        connection_to("postgresql://host:port:5432/x y=", "")
