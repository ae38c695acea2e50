"""Stores are asked with patience, never twice at once, and strangers are not told where they are."""

import threading

import pytest

from claimwatch.desk import Desk
from claimwatch.errors import StoreError
from claimwatch.posts.sqlite import SqlitePosts
from claimwatch.pulse import LEDGER, POSTS, Pulse, Question, advice_of, store_of
from claimwatch.records import CardState


def test_both_stores_answer_with_their_figures(desk: Desk) -> None:
    beat = Pulse(desk).beat()
    assert beat.is_well
    assert beat.outbox == 0
    assert beat.cards == desk.posts.count_cards()
    assert set(beat.cards or ()) <= set(CardState)


def test_a_store_that_hangs_is_asked_once_and_named_as_down() -> None:
    go_on, asked = threading.Event(), []

    def hang() -> int:
        asked.append(1)
        go_on.wait(20)
        return 7

    question = Question(hang)
    for _ in range(3):
        with pytest.raises(StoreError, match=r"no answer within 0\.01 s"):
            question.answer(0.01)
    assert len(asked) == 1
    go_on.set()
    assert question.answer(20) == 7


def test_one_store_down_leaves_the_others_figures(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(_: object) -> None:
        raise StoreError("/var/lib/desk/posts.db: disk I/O error: check the disk")

    monkeypatch.setattr(type(desk.posts), "count_cards", down)
    pulse = Pulse(desk)
    beat = pulse.beat()
    assert dict(beat.problems) == {POSTS: "check the disk"}
    assert (beat.outbox, beat.cards) == (0, None)
    monkeypatch.undo()
    assert pulse.beat().is_well


def test_an_answer_is_shared_for_as_long_as_it_may_be_old(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    pulse, asked = Pulse(desk), []
    count = SqlitePosts.count_cards

    def counted(posts: SqlitePosts) -> dict[CardState, int]:
        asked.append(1)
        return count(posts)

    monkeypatch.setattr(SqlitePosts, "count_cards", counted)
    assert pulse.beat(age=60) is pulse.beat(age=60)
    assert len(asked) == 1
    pulse.beat()
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("/srv/desk/posts.db: database is locked: try again", "try again"),
        (
            'postgresql://me@db.internal/desk: no server at "db.internal": check that PostgreSQL runs',
            "check that PostgreSQL runs",
        ),
        ("no answer within 3 s: see whether it runs", "see whether it runs"),
        ("try again", "try again"),
        ("x: refused: check what stores.ledger names", "check what stores.ledger names"),
        ("http://inside:9200: cannot reach http://inside:9200", "see `claimwatch doctor`"),
        ("posts: nobody at 10.0.0.7", "see `claimwatch doctor`"),
    ],
)
def test_a_stranger_is_told_what_to_do_and_no_place(line: str, shown: str) -> None:
    assert advice_of(line) == shown


def test_an_error_tells_by_its_beginning_which_store_it_is_about(desk: Desk) -> None:
    assert store_of(desk, StoreError("the ledger cannot be used: locked")) == LEDGER
    assert store_of(desk, StoreError(f"{desk.ledger.place}: every connection is in use")) == LEDGER
    assert store_of(desk, StoreError("posts.db: locked")) == POSTS
