"""`doctor` says of each store where it is and how it feels, and shows no secret."""

from pathlib import Path

import pytest

from claimwatch import stores
from claimwatch.errors import StoreError
from claimwatch.posts.sqlite import SqlitePosts
from claimwatch.settings import Places
from jobs.checkup import ledger_line, posts_line


@pytest.fixture
def where(tmp_path: Path) -> Places:
    file = tmp_path / "claimwatch.yml"
    file.write_text("", encoding="utf-8")
    return Places(config=file, data=tmp_path, cache=tmp_path, keys=tmp_path)


def test_each_store_says_where_it_is_and_that_it_answers(where: Places) -> None:
    assert ledger_line(where, {}).startswith(f"{where.data / 'ledger.db'}: answered in ")
    assert "0 decisions wait" in ledger_line(where, {})
    assert posts_line(where, {}).startswith(f"{where.data / 'posts.db'}: answered in ")


def test_a_store_that_can_tell_how_it_feels_is_asked(where: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    class Feeling(SqlitePosts):
        def health(self) -> str:
            return "green, 3 nodes"

    monkeypatch.setattr(stores, "SqlitePosts", Feeling)
    assert posts_line(where, {}).endswith(", 0 cards, green, 3 nodes")


@pytest.mark.servers
def test_a_servers_address_is_shown_and_its_password_not(where: Places, postgres_database: str) -> None:
    given = {"CLAIMWATCH_STORES__LEDGER": postgres_database, "CLAIMWATCH_POSTGRES_PASSWORD": "planted-password"}
    said = ledger_line(where, given)
    assert postgres_database.rpartition("@")[2] in said
    assert "planted" not in said


def test_a_server_that_is_not_there_is_one_line(where: Places) -> None:
    given = {
        "CLAIMWATCH_STORES__LEDGER": "postgresql://me@127.0.0.1:9/desk",
        "CLAIMWATCH_POSTGRES_PASSWORD": "planted-password",
    }
    with pytest.raises(StoreError, match="check that PostgreSQL runs") as met:
        ledger_line(where, given)
    assert "planted" not in str(met.value)
