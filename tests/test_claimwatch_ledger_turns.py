"""Turns at a host: handed out a delay apart, whoever asks."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from claimwatch.ledger import turns
from claimwatch.ledger.base import Ledger

DELAY = 0.5


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.servers)])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    if request.param == "sqlite":
        opened = Ledger.open(tmp_path / "ledger.db")
    else:
        opened = Ledger.connect(request.getfixturevalue("postgres_database"))
    yield opened
    opened.close()


def test_ten_threads_get_turns_a_delay_apart(ledger: Ledger) -> None:
    def reserve(_: int) -> float:
        with ledger.write() as db:
            turn = turns.reserve(db, "https://host.example", delay=DELAY, patience=3600)
        assert turn is not None
        assert turn.wait >= 0
        return turn.at

    with ThreadPoolExecutor(10) as pool:
        at = sorted(pool.map(reserve, range(40)))
    gaps = [later - earlier for earlier, later in itertools.pairwise(at)]
    assert gaps == pytest.approx([DELAY] * 39, abs=1e-3)


def test_a_host_nobody_asked_lately_is_asked_at_once(ledger: Ledger) -> None:
    with ledger.write() as db:
        first = turns.reserve(db, "https://host.example", delay=0.0, patience=90)
        second = turns.reserve(db, "https://host.example", delay=DELAY, patience=90)
        other = turns.reserve(db, "https://other.example", delay=DELAY, patience=90)
    assert [turn and turn.wait for turn in (first, second, other)] == [0, 0, 0]


def test_a_turn_beyond_patience_is_not_taken(ledger: Ledger) -> None:
    with ledger.write() as db:
        taken = [turns.reserve(db, "https://host.example", delay=60, patience=90) for _ in range(6)]
        near = turns.reserve(db, "https://host.example", delay=60, patience=150)
    waits = [round(turn.wait) if turn else None for turn in taken]
    assert waits == [0, 60, None, None, None, None]
    assert near is not None
    assert round(near.wait) == 120
