"""The ledger on a real PostgreSQL: races, lost connections, and refusals in one line."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from claimwatch.errors import ConfigError, StoreError
from claimwatch.ledger import decisions, facts, postgres, sources, users
from claimwatch.ledger.base import Ledger
from claimwatch.ledger.decisions import Judgement, StaleDecision
from claimwatch.ledger.tables import metadata
from claimwatch.records import Action, Role

if TYPE_CHECKING:
    import psycopg

pytestmark = pytest.mark.servers
NOW = datetime(2026, 11, 15, 12, 30, tzinfo=UTC)


@pytest.fixture
def ledger(postgres_database: str) -> Iterator[Ledger]:
    opened = Ledger.connect(postgres_database)
    yield opened
    opened.close()


def judgement(user: int, reason: str) -> Judgement:
    return Judgement(
        card="mastodon:1",
        seen=0,
        action=Action.NOT_HEALTH,
        user=user,
        post="mastodon:1",
        text_hash="ab",
        text="Tỏi chữa COVID",
        language="vi",
        model="m1",
        p_false=0.9,
        flag=True,
        reason=reason,
    )


_Answer = TypeVar("_Answer")


def at_once(runners: int, work: Callable[[int], _Answer]) -> list[_Answer]:
    """What each of so many threads answers, all let go together."""
    gate = threading.Barrier(runners)

    def run(number: int) -> _Answer:
        gate.wait(timeout=30)
        return work(number)

    with ThreadPoolExecutor(runners) as pool:
        return list(pool.map(run, range(runners)))


def server(url: str) -> "psycopg.Connection[tuple[object, ...]]":
    """A connection of the test's own, each statement at once."""
    import psycopg

    return psycopg.connect(url, autocommit=True)


def end_connections(url: str) -> int:
    """Close every connection to this database from the server's side, as a restart does; how many."""
    with server(url) as db:
        ended = db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid()"
        ).fetchall()
    return len(ended)


def put(ledger: Ledger, name: str, value: str = "1") -> None:
    with ledger.write() as db:
        facts.put(db, name, value)


def test_the_migrations_make_exactly_the_tables_that_the_code_uses(ledger: Ledger) -> None:
    with ledger.read() as db:
        assert compare_metadata(MigrationContext.configure(db), metadata) == []


def test_many_processes_may_migrate_at_once(postgres_database: str) -> None:
    opened = at_once(4, lambda _: Ledger.connect(postgres_database))
    put(opened[0], "a")
    with opened[3].read() as db:
        assert facts.get(db, "a") == "1"
    for ledger in opened:
        ledger.close()


def test_of_two_decisions_on_one_number_one_wins(ledger: Ledger) -> None:
    with ledger.write() as db:
        user = users.add(db, "mai", "correct horse battery", Role.MODERATOR, NOW).id

    def decide(number: int) -> str:
        try:
            with ledger.write() as db:
                return decisions.add(db, judgement(user, str(number)), NOW).reason
        except StaleDecision:
            return "stale"

    answers = at_once(6, decide)
    assert answers.count("stale") == 5
    with ledger.read() as db:
        kept = decisions.every(db)
    assert [one.number for one in kept] == [1]
    assert kept[0].reason in answers


def test_a_source_is_leased_to_one_of_many(ledger: Ledger) -> None:
    def lease(number: int) -> bool:
        with ledger.write() as db:
            return sources.acquire(db, "crawl:village", f"worker {number}")

    assert sorted(at_once(6, lease)) == [False] * 5 + [True]


def test_no_count_is_lost_between_writers(ledger: Ledger) -> None:
    put(ledger, "count", "0")

    def count(_: int) -> None:
        for _ in range(10):
            with ledger.write() as db:
                facts.put(db, "count", str(int(facts.get(db, "count") or 0) + 1))

    at_once(6, count)
    with ledger.read() as db:
        assert facts.get(db, "count") == "60"


def test_a_reader_sees_one_state_and_cannot_write(ledger: Ledger) -> None:
    with ledger.read() as db:
        assert facts.get(db, "a") is None
        put(ledger, "a")
        assert facts.get(db, "a") is None
    with pytest.raises(StoreError, match="takes no writes"), ledger.read() as db:
        facts.put(db, "a", "2")
    with ledger.read() as db:
        assert facts.get(db, "a") == "1"


def test_connections_lost_while_idle_are_made_anew(ledger: Ledger, postgres_database: str) -> None:
    put(ledger, "a")
    assert end_connections(postgres_database) > 0
    put(ledger, "b")
    with ledger.read() as db:
        assert (facts.get(db, "a"), facts.get(db, "b")) == ("1", "1")


def test_a_connection_lost_within_a_transaction_is_one_line_and_leaves_nothing(
    ledger: Ledger, postgres_database: str
) -> None:
    def write_and_lose() -> None:
        with ledger.write() as db:
            facts.put(db, "a", "1")
            end_connections(postgres_database)
            facts.put(db, "b", "1")

    with pytest.raises(StoreError, match="try again") as lost:
        write_and_lose()
    assert "\n" not in str(lost.value)
    put(ledger, "c")
    with ledger.read() as db:
        assert [facts.get(db, name) for name in "abc"] == [None, None, "1"]


def test_a_writer_that_hangs_becomes_one_line_for_the_next(
    ledger: Ledger, postgres_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(postgres._CONNECT, "options", "-c lock_timeout=50")
    impatient = Ledger(postgres.open_server(postgres_database, ""))
    with ledger.write(), pytest.raises(StoreError, match="another process is writing"):
        put(impatient, "a")
    put(impatient, "b")
    impatient.close()


def test_both_sides_give_a_silent_peer_up_in_under_30_seconds(ledger: Ledger) -> None:
    settings = ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count")
    with ledger.read() as db:
        idle, interval, count = (int(db.exec_driver_sql(f"SHOW {name}").scalar_one()) for name in settings)
    assert 0 < idle + interval * count < 30
    assert postgres._CONNECT["tcp_user_timeout"] < 30_000


def test_a_value_the_database_cannot_keep_is_one_line(ledger: Ledger) -> None:
    with pytest.raises(ConfigError, match="cannot keep this value"), ledger.write() as db:
        users.disable(db, 10**12)


class TestRefused:
    def test_a_database_that_does_not_exist(self, postgres_url: str) -> None:
        with pytest.raises(ConfigError, match="CREATE DATABASE"):
            Ledger.connect(postgres_url.rpartition("/")[0] + "/no_such_desk")

    def test_a_user_that_does_not_exist(self, postgres_url: str) -> None:
        scheme, _, rest = postgres_url.partition("://")
        with pytest.raises(ConfigError, match="CREATE ROLE"):
            Ledger.connect(f"{scheme}://nobody_here@{rest.rpartition('@')[2]}", password="swordfish")

    def test_a_port_where_nobody_listens(self) -> None:
        with pytest.raises(StoreError, match="check that PostgreSQL runs") as refused:
            Ledger.connect("postgresql://claimwatch@127.0.0.1:9/desk", password="swordfish")
        assert "\n" not in str(refused.value)
        assert str(refused.value).startswith("postgresql://claimwatch@127.0.0.1:9/desk: ")
        assert "swordfish" not in str(refused.value)

    @pytest.mark.parametrize("url", ["postgresql://claimwatch@127.0.0.1", "postgresql://a@b:port/c", "desk.db"])
    def test_what_is_no_address(self, url: str) -> None:
        with pytest.raises(ConfigError, match="write postgresql://user@host:5432/database"):
            Ledger.connect(url)

    def test_an_option_that_the_driver_does_not_know(self, postgres_database: str) -> None:
        with pytest.raises(ConfigError, match="options libpq knows"):
            Ledger.connect(f"{postgres_database}?sslmodus=require")

    def test_a_server_too_old(self, postgres_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(postgres, "OLDEST", 99)
        with pytest.raises(ConfigError, match="too old: upgrade it to 99"):
            Ledger.connect(postgres_database)

    def test_a_ledger_of_a_newer_claimwatch(self, ledger: Ledger, postgres_database: str) -> None:
        with server(postgres_database) as db:
            db.execute("UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(ConfigError, match="upgrade claimwatch"):
            Ledger.connect(postgres_database)

    def test_a_database_that_would_spoil_vietnamese(self, postgres_url: str, postgres_database: str) -> None:
        name = postgres_database.rpartition("/")[2] + "_latin"
        with server(postgres_url) as db:
            db.execute(f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
            try:
                with pytest.raises(ConfigError, match="ENCODING 'UTF8'"):
                    Ledger.connect(f"{postgres_url.rpartition('/')[0]}/{name}")
            finally:
                db.execute(f"DROP DATABASE {name}")

    def test_a_user_without_rights(self, postgres_url: str, postgres_database: str) -> None:
        role = postgres_database.rpartition("/")[2][:40]
        with server(postgres_database) as db:
            db.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
            db.execute(f"CREATE ROLE {role} LOGIN")
            try:
                with pytest.raises(ConfigError, match="GRANT"):
                    Ledger.connect(f"postgresql://{role}@{postgres_database.rpartition('@')[2]}")
            finally:
                db.execute(f"DROP ROLE {role}")

    def test_a_wrong_password(self, postgres_database: str) -> None:
        refused = 'connection failed: FATAL:  password authentication failed for user "claimwatch"'
        line = postgres._refused(refused, "postgresql://claimwatch@db/desk")
        assert isinstance(line, ConfigError)
        assert "CLAIMWATCH_POSTGRES_PASSWORD" in str(line)
