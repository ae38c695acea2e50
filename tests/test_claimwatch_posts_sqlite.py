"""What only the SQLite store has: one file, its locks and its faults, and tables that follow from other tables."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from claimwatch.errors import ConfigError, StoreError
from claimwatch.posts import sqlite_file, sqlite_search
from claimwatch.posts.base import Search, Work
from claimwatch.posts.sqlite import SqlitePosts
from claimwatch.posts.sqlite_standing import settle
from claimwatch.records import Action, CardState, Post, Stance, State
from factories import DAY, NOW, make_assessed, make_card, make_match, make_observation, make_post, make_update

ALL = range(256)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "posts.db"


@pytest.fixture
def posts(path: Path) -> Iterator[SqlitePosts]:
    opened = SqlitePosts(path)
    yield opened
    opened.close()


def raw(posts: SqlitePosts, query: str, *values: object) -> list[tuple[Any, ...]]:
    with posts._file.read() as db:
        return [tuple(row) for row in db.execute(query, values)]


def pragma(posts: SqlitePosts, name: str) -> object:
    return raw(posts, f"PRAGMA {name}")[0][0]


def one_line(error: pytest.ExceptionInfo[BaseException]) -> str:
    message = str(error.value)
    assert "\n" not in message
    return message


class TestTheFile:
    def test_it_is_made_with_its_folder_and_opened_again(self, path: Path) -> None:
        first = SqlitePosts(path)
        post = make_post()
        first.add([post], token="t")
        first.close()
        again = SqlitePosts(path)
        assert again.get([post.id]) == {post.id: post}
        again.close()

    def test_commits_are_on_the_disk_when_they_return(self, posts: SqlitePosts) -> None:
        assert (pragma(posts, "journal_mode"), pragma(posts, "synchronous")) == ("wal", 2)
        assert pragma(posts, "foreign_keys") == 1

    def test_a_newer_file_is_refused(self, path: Path) -> None:
        SqlitePosts(path).close()
        with closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA user_version=99")
        with pytest.raises(ConfigError) as error:
            SqlitePosts(path)
        assert "newer claimwatch" in one_line(error)

    def test_another_programs_database_is_left_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "recipes.db"
        with closing(sqlite3.connect(path)) as db:
            db.execute("CREATE TABLE recipes (name TEXT)")
        with pytest.raises(StoreError, match="not a posts store"):
            SqlitePosts(path)
        with closing(sqlite3.connect(path)) as db:
            assert db.execute("SELECT name FROM sqlite_master").fetchall() == [("recipes",)]

    def test_a_file_that_is_no_database_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "posts.db"
        path.write_text("these are not the posts you are looking for\n" * 200)
        with pytest.raises(StoreError) as error:
            SqlitePosts(path)
        assert "move it away" in one_line(error)

    def test_a_folder_that_cannot_be_made_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "data").write_text("a file, not a folder")
        with pytest.raises(ConfigError) as error:
            SqlitePosts(tmp_path / "data" / "posts.db")
        assert "CLAIMWATCH_DATA" in one_line(error)

    def test_a_damaged_file_is_named_as_such(self, path: Path) -> None:
        first = SqlitePosts(path)
        first.add([make_post(f"number {n}") for n in range(300)], token="t")
        first.close()
        whole = path.read_bytes()
        path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
        with pytest.raises(StoreError) as error, closing(SqlitePosts(path)) as damaged:
            damaged.search(Search())
        assert "restore it from a backup" in one_line(error)

    def test_a_closed_store_says_so(self, path: Path) -> None:
        posts = SqlitePosts(path)
        posts.close()
        posts.close()
        with pytest.raises(StoreError, match="closed"):
            posts.get([])

    def test_any_program_can_read_it(self, posts: SqlitePosts, path: Path) -> None:
        posts.add([make_post()], token="t")
        with closing(sqlite3.connect(path)) as db:
            names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")]
            for name in names:
                db.execute(f"SELECT * FROM {name}").fetchall()
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert {"posts", "words", "flagged_words", "daily"} <= set(names)


class TestTrouble:
    def test_a_full_disk_loses_nothing_acknowledged_and_leaves_nothing_half_written(self, path: Path) -> None:
        posts = SqlitePosts(path, max_pages=150)
        pages = [[make_post(f"page {n} post {m} " * 9) for m in range(20)] for n in range(50)]
        acknowledged: list[Post] = []

        def fill() -> None:
            for page in pages:
                posts.add(page, token=page[0].id)
                acknowledged.extend(page)

        with pytest.raises(StoreError) as error:
            fill()
        assert "free some disk space" in one_line(error)
        assert acknowledged
        refused = pages[len(acknowledged) // 20]
        assert set(posts.get([post.id for page in pages for post in page])) == {post.id for post in acknowledged}
        posts.close()
        roomy = SqlitePosts(path)
        assert roomy.add(refused, token=refused[0].id) == ["stored"] * 20
        assert sum(row.posts for row in roomy.counts([DAY])) == len(acknowledged) + 20
        assert raw(roomy, "PRAGMA integrity_check") == [("ok",)]
        roomy.close()

    def test_a_write_waits_for_another_and_then_gives_up_in_one_line(self, path: Path) -> None:
        posts = SqlitePosts(path, patience=0.05)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError) as error:
                posts.add([post := make_post()], token="t")
            assert posts.get([post.id]) == {}
            other.execute("ROLLBACK")
        assert "another process is writing" in one_line(error)
        assert posts.add([post], token="t") == ["stored"]
        posts.close()

    def test_a_write_that_fails_in_the_middle_leaves_nothing(self, posts: SqlitePosts) -> None:
        good, bad = make_post(), replace(make_post(), text=None)  # type: ignore[arg-type]
        with pytest.raises(sqlite3.IntegrityError):
            posts.add([good, bad], token="t")
        assert posts.get([good.id, bad.id]) == {}
        assert posts.add([good], token="t") == ["stored"]

    def test_readers_do_not_wait_for_a_writer(self, posts: SqlitePosts) -> None:
        post = make_post()
        posts.add([post], token="t")
        with posts._file.write() as db:
            db.execute("UPDATE posts SET title = 'not yet'")
            assert posts.get([post.id]) == {post.id: post}


WRITER = """
import sys
from pathlib import Path
from claimwatch.posts.sqlite import SqlitePosts
from factories import make_post
posts = SqlitePosts(Path(sys.argv[1]))
for page in range(int(sys.argv[3])):
    made = [make_post(f"{sys.argv[2]} {page} {n}", id=f"{sys.argv[2]}:{page}:{n}") for n in range(20)]
    outcomes = posts.add(made, token=f"{sys.argv[2]} {page}")
    assert outcomes == ["stored"] * 20, outcomes
    print(page, flush=True)
"""


def writer(path: Path, name: str, pages: int) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path.cwd()), str(Path(__file__).parent)])}
    command = [sys.executable, "-c", WRITER, str(path), name, str(pages)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


class TestTogether:
    def test_threads_share_one_store(self, posts: SqlitePosts) -> None:
        def work(number: int) -> int:
            made = [make_post(f"thread {number} {n}") for n in range(30)]
            for post in made:
                assert posts.add([post], token=post.id) == ["stored"]
                posts.assess([make_assessed(post)])
                assert posts.search(Search(words=f"thread {number}")).posts
            return len(posts.get([post.id for post in made]))

        with ThreadPoolExecutor(6) as pool:
            assert list(pool.map(work, range(6))) == [30] * 6
        assert sum(row.posts for row in posts.counts([DAY])) == 180

    def test_processes_make_and_fill_one_file(self, path: Path) -> None:
        writers = [writer(path, name, 5) for name in ("a", "b", "c")]
        for each in writers:
            with each:
                assert each.wait(60) == 0
        with closing(SqlitePosts(path)) as posts:
            assert sum(row.posts for row in posts.counts([DAY])) == 3 * 5 * 20

    def test_what_was_acknowledged_outlives_a_kill(self, path: Path) -> None:
        with writer(path, "a", 100_000) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(10)]
            process.send_signal(signal.SIGKILL)
            lines += process.stdout.readlines()
        pages = [int(line) for line in lines if line.endswith("\n")]
        with closing(SqlitePosts(path)) as posts:
            kept = posts.get([f"a:{page}:{n}" for page in pages for n in range(20)])
            assert len(kept) == 20 * len(pages) >= 200
            stored = raw(posts, "SELECT count(*) FROM posts")[0][0]
            assert stored % 20 == 0  # a page whole or not at all
            assert sum(row.posts for row in posts.counts([DAY])) == stored


class TestWords:
    def test_relevance_names_its_window_when_there_are_more_matches(
        self, posts: SqlitePosts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sqlite_search, "WINDOW", 3)
        best = make_post("garlic garlic garlic")
        made = [best, *(make_post(f"garlic number {n}") for n in range(3))]
        posts.add(made[:3], token="t")
        assert posts.search(Search(words="garlic", order="relevance")).window is None
        posts.add(made[3:], token="u")
        found = posts.search(Search(words="garlic", order="relevance"))
        assert found.window == 3
        assert best.id not in [post.id for post in found.posts]
        posts.assess([make_assessed(post) for post in made])
        assert posts.search(Search(words="garlic", order="relevance", flagged=True)).window == 3

    def test_words_folded_by_other_rules_are_put_in_anew(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with closing(SqlitePosts(path)) as posts:
            flagged, other, gone = make_post(), make_post("garlic, not flagged"), make_post(state=State.DELETED)
            posts.add([flagged, other, gone], token="t")
            posts.assess([make_assessed(flagged)])
        monkeypatch.setattr(sqlite_file, "_FOLDING", "another Unicode")
        with closing(SqlitePosts(path)) as posts:
            assert words_of(posts) == words_afresh(posts)
            assert [post.id for post in posts.search(Search(words="garlic", flagged=True)).posts] == [flagged.id]
            posts.forget([flagged.id], NOW)
            assert [post.id for post in posts.search(Search(words="garlic")).posts] == [other.id]

    def test_quotes_can_not_reach_the_query(self) -> None:
        assert sqlite_search.matching(["a", "bc"]) == '"a" "bc"'
        assert sqlite_search.matching(["a", "bcd"]) == '"a" "bcd"*'


class TestKin:
    def test_posts_of_one_instant_come_by_id_even_past_the_limit(self, posts: SqlitePosts) -> None:
        made = [make_post(id=f"a:{n:03}", bands=("00:aa",)) for n in range(300)]
        posts.add(made, token="t")
        posts.place({post.id: post.id for post in reversed(made)})
        assert [post.id for post in posts.kin(["00:aa"], limit=3)] == ["a:000", "a:001", "a:002"]


#: Every table that grows with the posts, by name and by the alias that queries give it.
GROWING = "posts|p|assessments|a|matches|m|observations|writes|vectors|bands|b|tombstones"
CALLS: dict[str, Callable[[SqlitePosts, Post], object]] = {
    "add": lambda posts, post: posts.add([replace(post, text="new", edited_at=NOW), make_post()], token="t"),
    "get": lambda posts, post: posts.get([post.id]),
    "pending for classify": lambda posts, post: posts.pending(
        Work(stage="classify", model="m2", since=NOW), ALL, after=post
    ),
    "pending for group": lambda posts, post: posts.pending(Work(stage="group"), ALL, after=post),
    "assess": lambda posts, post: posts.assess([replace(make_assessed(post, make_match(post)), vector=b"v")]),
    "assessments": lambda posts, post: posts.assessments([post.id]),
    "scored": lambda posts, post: posts.scored([post.text_hash], "m1"),
    "matches": lambda posts, post: posts.matches([post.id]),
    "vectors": lambda posts, post: posts.vectors("e5", after=post.text_hash),
    "match": lambda posts, post: posts.match({post.text_hash: [make_match(post)]}),
    "kin": lambda posts, post: posts.kin(post.bands),
    "place": lambda posts, post: posts.place({post.id: "g"}),
    "members": lambda posts, _: posts.members("g"),
    "tallies": lambda posts, post: posts.tallies([post.id], NOW),
    "put_cards": lambda posts, post: posts.put_cards([make_card(post, state=CardState.DECIDED)]),
    "cards": lambda posts, _: posts.cards(language="vi", after=(1.0, "a")),
    "card": lambda posts, post: posts.card([post.id]),
    "project": lambda posts, post: posts.project([make_update(make_card(post))]),
    "counts": lambda posts, _: posts.counts([DAY], without=[1]),
    "accounts": lambda posts, _: posts.accounts([DAY]),
    "observe": lambda posts, post: posts.observe([make_observation(post)]),
    "expire": lambda posts, _: posts.expire(NOW, batch=1),
    "sweep": lambda posts, _: posts.sweep(1, NOW),
    "forget": lambda posts, post: posts.forget([post.id], NOW),
}
SEARCHES = [
    Search(words=words, order=order, language=language, claim=claim, source=source, flagged=flagged)
    for order in ("newest", "relevance", "urgent")
    for words in ("", "garlic water")
    for language, claim, source, flagged in (
        ("", "", "", None),
        ("vi", "", "", None),
        ("vi", "", "village", True),
        ("", "garlic-cure", "village", False),
    )
]


class TestPlans:
    """No query reads a whole table that grows with the posts."""

    @pytest.fixture
    def busy(self, posts: SqlitePosts) -> SqlitePosts:
        self.post = make_post(expires_at=NOW)
        posts.add([self.post, make_post(expires_at=NOW, state=State.DELETED)], token="t")
        posts.assess([make_assessed(self.post, make_match(self.post))])
        posts.place({self.post.id: self.post.id})
        posts.put_cards([make_card(self.post)])
        return posts

    def scans(self, posts: SqlitePosts, call: Callable[[], object]) -> list[str]:
        asked: list[str] = []
        (db,) = posts._file._idle
        db.set_trace_callback(asked.append)
        call()
        db.set_trace_callback(None)
        queries = [query for query in asked if re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE)", query)]
        assert queries
        plans = [row["detail"] for query in queries for row in db.execute(f"EXPLAIN QUERY PLAN {query}")]
        return [plan for plan in plans if re.match(rf"SCAN ({GROWING})\b", plan)]

    @pytest.mark.parametrize("name", CALLS)
    def test_no_method_scans(self, busy: SqlitePosts, name: str) -> None:
        assert self.scans(busy, lambda: CALLS[name](busy, self.post)) == []

    @pytest.mark.parametrize("search", SEARCHES, ids=repr)
    def test_no_search_scans(self, busy: SqlitePosts, search: Search) -> None:
        assert self.scans(busy, lambda: busy.search(search)) == []

    def test_a_scan_would_be_noticed(self, busy: SqlitePosts) -> None:
        (db,) = busy._file._idle
        asked = "SELECT id FROM posts WHERE title = 'a'"
        assert self.scans(busy, lambda: db.execute(asked).fetchall()) == ["SCAN posts"]


def words_of(posts: SqlitePosts) -> list[list[tuple[Any, ...]]]:
    """Which word stands in which post, by each of the two indexes."""
    with posts._file.write() as db:
        for table in ("words", "flagged_words"):
            db.execute(f"CREATE VIRTUAL TABLE temp.{table}_seen USING fts5vocab(main, {table}, instance)")
        query = "SELECT term, doc, offset FROM temp.{}_seen ORDER BY term, doc, offset"
        found = [[tuple(row) for row in db.execute(query.format(name))] for name in ("words", "flagged_words")]
        for table in ("words", "flagged_words"):
            db.execute(f"DROP TABLE temp.{table}_seen")
    return found


def words_afresh(posts: SqlitePosts) -> list[list[tuple[Any, ...]]]:
    """The same, of posts folded here and now."""
    found = []
    for only in ("1", "flag = 1"):
        query = f"SELECT number, fold(title || ' ' || text) FROM posts WHERE state <> 'deleted' AND {only}"
        rows = [(word, number, at) for number, text in raw(posts, query) for at, word in enumerate(text.split())]
        found.append(sorted(rows))
    return found


class Desk(RuleBasedStateMachine):
    """Whatever happens in whatever order, what is kept beside the posts equals what a recount gives."""

    texts = st.sampled_from(["garlic cures it", "steam cures it", "nước tỏi chữa bệnh", "Đông y", "!!!"])
    numbers = st.integers(0, 5)

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.posts = SqlitePosts(Path(self.folder.name) / "posts.db")
        self.hours = 0
        self.batches = 0

    def teardown(self) -> None:
        try:
            assert words_of(self.posts) == words_afresh(self.posts)
        finally:
            self.posts.close()
            self.folder.cleanup()

    def kept(self, number: int) -> Post | None:
        return self.posts.get([f"a:{number}"]).get(f"a:{number}")

    @rule(number=numbers, text=texts, source=st.sampled_from(["village", "import:x"]), state=st.sampled_from(State))
    def add(self, number: int, text: str, source: str, state: State) -> None:
        self.hours += 1
        at = NOW + timedelta(hours=self.hours)
        state = State.DELETED if state is State.DELETED else State.LIVE
        post = make_post(text, id=f"a:{number}", source=source, state=state, collected_at=at, edited_at=at)
        self.posts.add([replace(post, expires_at=at, day=DAY - timedelta(days=number % 2))], token=str(at))

    @rule(number=numbers, flag=st.booleans(), stance=st.sampled_from([*Stance, None]), model=st.sampled_from("mn"))
    def assess(self, number: int, flag: bool, stance: Stance | None, model: str) -> None:
        if post := self.kept(number):
            said = make_assessed(post, make_match(post, f"claim-{number % 2}"), flag=flag, stance=stance, model=model)
            self.posts.assess([replace(said, vector=b"v", encoder="e")])

    @rule(number=numbers, similarity=st.floats(0, 1))
    def match(self, number: int, similarity: float) -> None:
        if post := self.kept(number):
            self.posts.match({post.text_hash: [make_match(post, "late-claim", similarity=similarity)]})

    @rule(number=numbers, group=numbers)
    def place(self, number: int, group: int) -> None:
        self.posts.place({f"a:{number}": f"a:{group}"})

    @rule(number=numbers, state=st.sampled_from([CardState.OPEN, CardState.MERGED]))
    def put_card(self, number: int, state: CardState) -> None:
        self.posts.put_cards([make_card(make_post(id=f"a:{number}"), state=state)])

    @rule(number=numbers, turn=st.integers(1, 4), action=st.sampled_from([Action.REPEATS, Action.NOT_HEALTH, None]))
    def project(self, number: int, turn: int, action: Action | None) -> None:
        card = make_card(make_post(id=f"a:{number}"))
        self.posts.project([make_update(card, action, number=turn)])

    @rule(number=numbers, likes=st.integers(0, 99), source=st.sampled_from(["village", "town"]))
    def observe(self, number: int, likes: int, source: str) -> None:
        self.hours += 1
        at = NOW + timedelta(hours=self.hours)
        self.posts.observe([make_observation(make_post(id=f"a:{number}"), likes=likes, source=source, at=at)])

    @rule(hours=st.integers(0, 20))
    def expire(self, hours: int) -> None:
        self.batches += 1
        rows = self.posts.expire(NOW + timedelta(hours=hours), batch=self.batches, limit=3)
        assert self.posts.expire(NOW + timedelta(hours=hours), batch=self.batches, limit=3) == rows

    @precondition(lambda self: self.batches)
    @rule()
    def sweep(self) -> None:
        self.posts.sweep(self.batches, NOW)

    @rule(number=numbers)
    def forget(self, number: int) -> None:
        self.posts.forget([f"a:{number}"], NOW - timedelta(days=390))

    @invariant()
    def the_roll_up_equals_a_recount(self) -> None:
        six = "day, claim, language, source, stance, status"
        recount = f"SELECT {six}, count(*) FROM posts WHERE state <> 'deleted' AND batch IS NULL GROUP BY {six}"
        assert raw(self.posts, f"SELECT {six}, posts FROM daily ORDER BY {six}") == sorted(raw(self.posts, recount))

    @invariant()
    def every_post_stands_as_its_opinions_say(self) -> None:
        query = "SELECT number, flag, claim, stance, status FROM posts ORDER BY number"
        before = raw(self.posts, query)
        with self.posts._file.write() as db:
            settle(db, [row[0] for row in before])
        assert raw(self.posts, query) == before

    @invariant()
    def nothing_hangs_on_what_is_gone(self) -> None:
        bands = raw(self.posts, 'SELECT bands, collected_at, number FROM posts WHERE "group" IS NOT NULL')
        expected = {(band, at, number) for names, at, number in bands for band in names.split()}
        assert set(raw(self.posts, "SELECT band, collected_at, post FROM bands")) == expected
        said = raw(self.posts, "SELECT text_hash FROM vectors WHERE text_hash NOT IN (SELECT text_hash FROM posts)")
        assert said == raw(self.posts, "PRAGMA foreign_key_check") == []

    @invariant()
    def engagement_is_the_largest_latest(self) -> None:
        latest: dict[int, dict[str, tuple[int, int]]] = {}
        for post, source, at, likes in raw(self.posts, "SELECT post, source, at, likes FROM observations"):
            by_source = latest.setdefault(post, {})
            by_source[source] = max(by_source.get(source, (0, 0)), (at, likes + 2 + 1))
        expected = {post: max(seen for _, seen in by_source.values()) for post, by_source in latest.items()}
        assert dict(raw(self.posts, "SELECT number, engagement FROM posts WHERE engagement > 0")) == expected


Desk.TestCase.settings = settings(max_examples=20, stateful_step_count=30, deadline=None)
TestAnyOrder = Desk.TestCase
