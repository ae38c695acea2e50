"""The ledger's file: migrated, bounded by the disk, refused where it is not ours, each in one line."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from claimwatch.errors import ConfigError, StoreError
from claimwatch.ledger import facts
from claimwatch.ledger.base import Ledger
from claimwatch.ledger.tables import metadata


def fill(ledger: Ledger, name: str, size: int) -> None:
    with ledger.write() as db:
        facts.put(db, name, "x" * size)


def test_the_migrations_make_exactly_the_tables_that_the_code_uses(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.db")
    with ledger.read() as db:
        assert compare_metadata(MigrationContext.configure(db), metadata) == []
    ledger.close()


def test_a_full_disk_is_one_line_and_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.db", max_pages=120)
    fill(ledger, "kept", 1000)
    with pytest.raises(StoreError, match="free some disk space") as full:
        fill(ledger, "too much", 2_000_000)
    assert "\n" not in str(full.value)
    with ledger.read() as db:
        assert facts.get(db, "kept") == "x" * 1000
        assert facts.get(db, "too much") is None
    fill(ledger, "small", 10)
    ledger.close()


def test_a_ledger_of_a_newer_claimwatch_is_refused(tmp_path: Path) -> None:
    Ledger.open(tmp_path / "ledger.db").close()
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as db:
        db.execute("update alembic_version set version_num = '9999'")
        db.commit()
    with pytest.raises(ConfigError, match="upgrade claimwatch"):
        Ledger.open(tmp_path / "ledger.db")


def test_a_file_that_is_no_database_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_text("no database at all " * 500, encoding="utf-8")
    with pytest.raises(StoreError, match="move it away"):
        Ledger.open(tmp_path / "ledger.db")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match="CLAIMWATCH_DATA"):
        Ledger.open(tmp_path / "file/data/ledger.db")
