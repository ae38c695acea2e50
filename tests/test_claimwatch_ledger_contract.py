"""The promise of the ledger, on every database it runs on: another one is one more parameter."""

import itertools
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from claimwatch.errors import ConfigError
from claimwatch.ledger import (
    claims,
    counts,
    decisions,
    facts,
    reports,
    responses,
    runs,
    secrets,
    sources,
    tables,
    users,
)
from claimwatch.ledger.base import Ledger
from claimwatch.ledger.decisions import Judgement, StaleDecision
from claimwatch.posts.base import CountRow
from claimwatch.records import Action, CardState, Claim, Role, Source, User, Verdict

NOW = datetime(2026, 11, 15, 12, 30, 45, 123456, tzinfo=UTC)
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def shared_database(postgres_url: str) -> Iterator[str]:
    """One database for all tests here, emptied for each: making one takes longer than a test."""
    import psycopg

    name = f"contract_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as db:
        db.execute(f'CREATE DATABASE "{name}"')
    yield f"{postgres_url.rpartition('/')[0]}/{name}"
    with psycopg.connect(postgres_url, autocommit=True) as db:
        db.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.servers)])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Ledger]:
    """Opens this test's ledger, as often as it is called."""
    if request.param == "sqlite":
        return lambda: Ledger.open(tmp_path / "ledger.db")
    url: str = request.getfixturevalue("shared_database")
    ledger = Ledger.connect(url)
    with ledger.write() as db:
        for table in reversed(tables.metadata.sorted_tables):
            db.execute(delete(table))
    ledger.close()
    return lambda: Ledger.connect(url)


@pytest.fixture
def ledger(reopen: Callable[[], Ledger]) -> Iterator[Ledger]:
    opened = reopen()
    yield opened
    opened.close()


@pytest.fixture
def user(ledger: Ledger) -> User:
    with ledger.write() as db:
        return users.add(db, "mai", PASSWORD, Role.MODERATOR, NOW)


def claim(claim_id: str = "garlic-cure", **changes: object) -> Claim:
    made = Claim(
        id=claim_id,
        statement={"vi": "Tỏi chữa COVID", "en": "Garlic cures COVID"},
        phrasings={"en": ("eat garlic",)},
        verdict=Verdict.FALSE,
        harm=2,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def judgement(user: User, **changes: object) -> Judgement:
    made = Judgement(
        card="mastodon:1",
        seen=0,
        action=Action.REPEATS,
        user=user.id,
        post="mastodon:1",
        text_hash="ab",
        text="Tỏi chữa COVID",
        language="vi",
        model="m1",
        p_false=0.9,
        flag=True,
        claim="garlic-cure",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_write_that_fails_leaves_nothing(ledger: Ledger) -> None:
    def write_and_fail() -> None:
        with ledger.write() as db:
            facts.put(db, "a", "1")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        write_and_fail()
    with ledger.read() as db:
        assert facts.get(db, "a") is None


def test_opening_twice_keeps_everything(ledger: Ledger, reopen: Callable[[], Ledger]) -> None:
    with ledger.write() as db:
        facts.put(db, "a", "1")
    again = reopen()
    with again.read() as db:
        assert facts.get(db, "a") == "1"
    again.close()


def test_a_naive_time_is_refused(ledger: Ledger) -> None:
    with pytest.raises(Exception, match="naive"), ledger.write() as db:
        runs.start(db, "crawl", NOW.replace(tzinfo=None))


class TestClaims:
    def test_a_seed_adds_then_changes_only_what_nobody_edited(self, ledger: Ledger) -> None:
        with ledger.write() as db:
            assert claims.seed(db, [claim("a-claim"), claim("b-claim")], NOW).added == 2
            claims.edit(db, "a-claim", {"harm": 4}, NOW)
            seeded = claims.seed(db, [claim("a-claim", harm=3), claim("b-claim", harm=3), claim("c-claim")], NOW)
        assert (seeded.added, seeded.changed, seeded.kept) == (1, 1, ("a-claim",))
        with ledger.read() as db:
            assert [(one.id, one.harm, one.version) for one in claims.every(db)] == [
                ("a-claim", 4, 2),
                ("b-claim", 3, 2),
                ("c-claim", 2, 1),
            ]

    def test_the_same_seed_again_changes_nothing(self, ledger: Ledger) -> None:
        with ledger.write() as db:
            claims.seed(db, [claim()], NOW)
            seeded = claims.seed(db, [claim()], NOW)
            assert (seeded.added, seeded.changed, seeded.kept) == (0, 0, ())
            assert claims.get(db, "garlic-cure") == claim()

    def test_a_merged_claim_answers_with_the_one_it_leads_to(self, ledger: Ledger) -> None:
        with ledger.write() as db:
            claims.seed(db, [claim("a-claim"), claim("b-claim"), claim("c-claim")], NOW)
            claims.merge(db, "a-claim", "b-claim", NOW)
            claims.merge(db, "b-claim", "c-claim", NOW)
            assert claims.redirects(db) == {"a-claim": "c-claim", "b-claim": "c-claim"}
            found = claims.get(db, "a-claim")
            assert found is not None
            assert found.id == "c-claim"
            assert claims.some(db, ["a-claim", "nothing"])["a-claim"].id == "c-claim"

    def test_a_claim_cannot_be_merged_into_itself_or_into_nothing(self, ledger: Ledger) -> None:
        with ledger.write() as db:
            claims.seed(db, [claim("a-claim")], NOW)
            for into in ("a-claim", "nothing"):
                with pytest.raises(ConfigError):
                    claims.merge(db, "a-claim", into, NOW)

    def test_an_id_is_given_once(self, ledger: Ledger) -> None:
        with ledger.write() as db:
            assert claims.add(db, claim(), NOW).edited
            with pytest.raises(ConfigError, match="exists already"):
                claims.add(db, claim(), NOW)


class TestDecisions:
    def test_a_decision_settles_its_card_and_waits_in_the_outbox(self, ledger: Ledger, user: User) -> None:
        with ledger.write() as db:
            made = decisions.add(db, judgement(user), NOW)
            ((row_id, state),) = decisions.waiting(db)
        assert (made.number, made.at, made.user) == (1, NOW, user.id)
        assert (state.state, state.claim, state.action, state.number) == (
            CardState.DECIDED,
            "garlic-cure",
            Action.REPEATS,
            1,
        )
        with ledger.write() as db:
            decisions.delivered(db, row_id)
            assert decisions.waiting(db) == []

    def test_two_people_cannot_decide_the_same_card_unseen(self, ledger: Ledger, user: User) -> None:
        with ledger.write() as db:
            decisions.add(db, judgement(user), NOW)
        with pytest.raises(StaleDecision), ledger.write() as db:
            decisions.add(db, judgement(user, action=Action.REFUTES), NOW)
        with ledger.read() as db:
            assert len(decisions.of_card(db, "mastodon:1")) == 1

    def test_undo_is_a_decision_that_opens_the_card_again(self, ledger: Ledger, user: User) -> None:
        with ledger.write() as db:
            first = decisions.add(db, judgement(user), NOW)
            undone = decisions.undo(db, "mastodon:1", seen=1, user=user.id, now=NOW)
            assert (undone.undoes, undone.number, undone.action) == (first.id, 2, Action.UNDO)
            state = decisions.decided(db, ["mastodon:1"])["mastodon:1"]
            assert (state.state, state.claim, state.number) == (CardState.OPEN, None, 2)

    def test_undo_of_a_second_decision_brings_the_first_back(self, ledger: Ledger, user: User) -> None:
        with ledger.write() as db:
            decisions.add(db, judgement(user), NOW)
            decisions.add(db, judgement(user, seen=1, action=Action.REFUTES), NOW)
            decisions.undo(db, "mastodon:1", seen=2, user=user.id, now=NOW)
            state = decisions.decided(db, ["mastodon:1"])["mastodon:1"]
            assert (state.state, state.action) == (CardState.DECIDED, Action.REPEATS)

    def test_nothing_decided_cannot_be_undone(self, ledger: Ledger, user: User) -> None:
        with pytest.raises(StaleDecision), ledger.write() as db:
            decisions.undo(db, "mastodon:1", seen=0, user=user.id, now=NOW)

    def test_a_skip_leaves_the_card_open_but_moves_its_number(self, ledger: Ledger, user: User) -> None:
        with ledger.write() as db:
            decisions.add(db, judgement(user, action=Action.SKIP, claim=None), NOW)
            state = decisions.decided(db, ["mastodon:1"])["mastodon:1"]
            assert (state.state, state.number) == (CardState.OPEN, 1)

    def test_decisions_are_found_by_time_and_account(self, ledger: Ledger, user: User) -> None:
        with ledger.write() as db:
            for number, hours in enumerate((0, 5, 10)):
                decisions.add(db, judgement(user, card=f"c{number}"), NOW + timedelta(hours=hours))
            found = decisions.between(db, NOW, NOW + timedelta(hours=10))
            assert [one.card for one in found] == ["c0", "c1"]
            assert [one.card for one in decisions.recent(db, 2, user=user.id)] == ["c2", "c1"]
            assert decisions.recent(db, 2, user=user.id + 1) == []
            assert len(decisions.every(db)) == 3

    def test_texts_are_forgotten_when_their_time_is_over(self, ledger: Ledger, user: User) -> None:
        with ledger.write() as db:
            decisions.add(db, judgement(user), NOW)
            decisions.add(db, judgement(user, card="c2"), NOW + timedelta(days=1))
            assert decisions.forget_texts(db, NOW + timedelta(hours=1)) == 1
            assert [one.text for one in decisions.every(db)] == ["", "Tỏi chữa COVID"]

    def test_many_cards_are_asked_for_at_once(self, ledger: Ledger, user: User) -> None:
        with ledger.write() as db:
            decisions.add(db, judgement(user, card="c700"), NOW)
            assert list(decisions.of_cards(db, [f"c{n}" for n in range(1200)])) == ["c700"]


class TestResponses:
    def test_a_response_is_kept_until_done(self, ledger: Ledger, user: User) -> None:
        with ledger.write() as db:
            claims.seed(db, [claim()], NOW)
            plan = responses.Plan(claim="garlic-cure", kind="watching", owner=user.id, due=date(2026, 11, 20))
            made = responses.add(db, plan, NOW)
            assert responses.unfinished(db) == [made]
            responses.finish(db, made.id, NOW + timedelta(days=1), link="https://example.org/answer")
            (done,) = responses.of_claim(db, "garlic-cure")
            assert (done.done_at, done.link) == (NOW + timedelta(days=1), "https://example.org/answer")
            assert responses.unfinished(db) == []
            assert responses.between(db, NOW + timedelta(hours=12), NOW + timedelta(days=2)) == [done]
            assert responses.between(db, NOW + timedelta(days=3), NOW + timedelta(days=4)) == []

    def test_a_response_is_finished_once(self, ledger: Ledger) -> None:
        with ledger.write() as db:
            claims.seed(db, [claim()], NOW)
            made = responses.add(db, responses.Plan(claim="garlic-cure", kind="no_action"), NOW, done=True)
            with pytest.raises(ConfigError):
                responses.finish(db, made.id, NOW)

    def test_a_referral_is_no_kind_of_response(self, ledger: Ledger) -> None:
        with pytest.raises(ConfigError, match="no kind of response"), ledger.write() as db:
            responses.add(db, responses.Plan(claim="garlic-cure", kind="reported_to_police"), NOW)


class TestUsers:
    def test_the_right_password_signs_in_and_no_other(self, ledger: Ledger, user: User) -> None:
        with ledger.read() as db:
            assert users.sign_in(db, "mai", PASSWORD) == user
            assert users.sign_in(db, "mai", PASSWORD + "!") is None
            assert users.sign_in(db, "nobody", PASSWORD) is None

    def test_a_disabled_account_cannot_sign_in(self, ledger: Ledger, user: User) -> None:
        with ledger.write() as db:
            users.disable(db, user.id)
            assert users.sign_in(db, "mai", PASSWORD) is None
            users.disable(db, user.id, disabled=False)
            assert users.sign_in(db, "mai", PASSWORD) is not None

    def test_a_new_password_ends_every_sign_in(self, ledger: Ledger, user: User) -> None:
        with ledger.write() as db:
            users.set_password(db, user.id, "another long password")
            changed = users.get(db, user.id)
            assert changed is not None
            assert changed.session == user.session + 1
            assert users.sign_in(db, "mai", PASSWORD) is None

    def test_short_passwords_and_taken_names_are_refused(self, ledger: Ledger, user: User) -> None:
        for name, password in (("new", "short"), (user.name, PASSWORD), ("  ", PASSWORD)):
            with pytest.raises(ConfigError), ledger.write() as db:
                users.add(db, name, password, Role.VIEWER, NOW)
        with ledger.read() as db:
            assert users.count(db) == 1

    def test_role_and_language_change(self, ledger: Ledger, user: User) -> None:
        with ledger.write() as db:
            users.set_role(db, user.id, Role.LEAD)
            users.set_language(db, user.id, "en")
            assert users.every(db) == [replace(user, role=Role.LEAD, language="en")]

    def test_no_password_is_kept_in_plain(self, ledger: Ledger, user: User) -> None:
        with ledger.read() as db:
            kept = db.execute(select(tables.users)).one()._asdict()
        assert kept["name"] == user.name
        assert PASSWORD not in str(kept)


class TestSources:
    def test_a_seed_never_overwrites_an_edited_source_nor_any_state(self, ledger: Ledger) -> None:
        first, second = (Source(name=name, kind="feed", settings={"url": "https://a.example"}) for name in ("a", "b"))
        with ledger.write() as db:
            sources.seed(db, [first, second])
            sources.tried(db, "b", NOW, succeeded=True)
            sources.enable(db, "a", enabled=False)
            sources.seed(db, [replace(first, every=5), replace(second, every=5)])
            a, b = sources.every(db)
        assert (a.enabled, a.every) == (False, 30)
        assert (b.every, b.last_success) == (5, NOW)

    def test_an_unknown_source_is_named_with_the_known_ones(self, ledger: Ledger) -> None:
        with ledger.write() as db:
            sources.put(db, Source(name="who", kind="feed", settings={}))
            with pytest.raises(ConfigError, match="known: who"):
                sources.get(db, "wha")

    def test_attention_is_noted_and_cleared(self, ledger: Ledger) -> None:
        with ledger.write() as db:
            sources.put(db, Source(name="who", kind="feed", settings={}))
            sources.tried(db, "who", NOW, attention="401: needs a token")
            assert sources.get(db, "who").attention == "401: needs a token"
            sources.tried(db, "who", NOW, succeeded=True)
            assert (sources.get(db, "who").attention, sources.get(db, "who").last_success) == ("", NOW)

    def test_a_cursor_moves_and_is_found_again(self, ledger: Ledger) -> None:
        with ledger.write() as db:
            assert sources.cursor(db, "who", "main") == {}
            for newest in ("1", "2"):
                sources.move_cursor(db, "who", "main", state={"newest": newest}, now=NOW)
            assert sources.cursor(db, "who", "main") == {"newest": "2"}

    def test_a_lease_has_one_holder(self, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = itertools.count(1000.0, sources.LEASE / 2 + 1)
        monkeypatch.setattr("claimwatch.ledger.sources.time.time", lambda: next(clock))
        with ledger.write() as db:
            assert sources.acquire(db, "crawl:a", "one")
            assert not sources.acquire(db, "crawl:a", "two")
            assert sources.acquire(db, "crawl:a", "two")  # the first never renewed it, and its time is over
            sources.release(db, "crawl:a", "one")
            assert not sources.acquire(db, "crawl:a", "one")
            sources.release(db, "crawl:a", "two")
            assert sources.acquire(db, "crawl:a", "one")

    def test_the_rate_limit_book_forgets_what_is_past(self, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("claimwatch.ledger.sources.time.time", lambda: 1000.0)
        with ledger.write() as db:
            sources.limit(db, "a.example", until=1060.0, reason="429")
            sources.limit(db, "b.example", until=999.0, reason="429")
            assert sources.limited(db) == {"a.example": (1060.0, "429")}

    def test_rows_set_aside_are_shown_and_dropped_in_time(self, ledger: Ledger) -> None:
        with ledger.write() as db:
            sources.set_aside(db, "who", [("no text", "{}"), ("x" * 300, "{}")], NOW)
            newest, oldest = sources.aside(db, "who")
            assert (oldest, len(newest[1])) == ((NOW, "no text", "{}"), 200)
            assert sources.drop_aside(db, NOW + timedelta(seconds=1)) == 2

    def test_what_no_database_keeps_alike_is_kept_alike(self, ledger: Ledger) -> None:
        with ledger.write() as db:
            sources.set_aside(db, "who", [("reason\0", "a\0b")], NOW)
            assert sources.aside(db, "who") == [(NOW, "reason\ufffd", "a\ufffdb")]

    def test_names_are_in_the_order_of_code_points(self, ledger: Ledger) -> None:
        names = ["a-b", "a.b", "ab", "B", "_", "đ", "d", "é", "a" * 300]
        with ledger.write() as db:
            for name in names:
                sources.put(db, Source(name=name, kind="feed", settings={}))
            assert [one.name for one in sources.every(db)] == sorted(names)


class TestRuns:
    def test_counts_add_up_per_run_and_source(self, ledger: Ledger) -> None:
        with ledger.write() as db:
            first = runs.start(db, "crawl", NOW, source="who")
            runs.count(db, first, {"stored": 2, "unchanged": 1})
            runs.count(db, first, {"stored": 3})
            runs.finish(db, first, NOW + timedelta(minutes=1))
            second = runs.start(db, "crawl", NOW + timedelta(hours=1), source="who")
            runs.count(db, second, {"stored": 4})
            runs.finish(db, second, NOW, status="failed", message="401")
            assert runs.outcomes(db, first) == {"stored": 5, "unchanged": 1}
            assert runs.by_source(db, NOW, NOW + timedelta(hours=1)) == {"who": {"stored": 5, "unchanged": 1}}
            assert [run.status for run in runs.recent(db)] == ["failed", "done"]
            assert [run.id for run in runs.between(db, NOW, NOW + timedelta(days=1), stage="crawl")] == [first, second]
            assert runs.between(db, NOW, NOW + timedelta(days=1), stage="classify") == []


class TestCounts:
    ROW = CountRow(
        day=date(2026, 11, 1), claim="a", language="vi", source="s", stance="repeats", status="decided", posts=3
    )

    def test_a_batch_is_committed_once(self, ledger: Ledger) -> None:
        with ledger.write() as db:
            batch = counts.open_batch(db, NOW)
            assert counts.open_batch(db, NOW) == batch  # left by a kill: taken up again
            counts.commit_batch(db, batch, [self.ROW])
            counts.commit_batch(db, batch, [self.ROW])
            assert counts.daily(db, [self.ROW.day]) == [self.ROW]
            assert counts.committed(db, swept=False) == [batch]
            counts.mark_swept(db, batch)
            assert (counts.committed(db, swept=False), counts.committed(db)) == ([], [batch])
            assert counts.open_batch(db, NOW) == batch + 1

    def test_batches_of_one_day_add_up(self, ledger: Ledger) -> None:
        with ledger.write() as db:
            for _ in range(2):
                counts.commit_batch(db, counts.open_batch(db, NOW), [self.ROW])
            assert counts.daily(db, [self.ROW.day]) == [replace(self.ROW, posts=6)]
            assert counts.daily(db, [date(2026, 11, 2)]) == []


class TestReports:
    def test_the_same_report_again_is_the_same_version(self, ledger: Ledger) -> None:
        with ledger.write() as db:
            first = reports.publish(db, "2026-W46", digest="aa", body={"posts": 1}, now=NOW)
            again = reports.publish(db, "2026-W46", digest="aa", body={"posts": 1}, now=NOW + timedelta(days=1))
            corrected = reports.publish(db, "2026-W46", digest="bb", body={"posts": 2}, now=NOW)
            assert (first, corrected.version) == (again, 2)
            assert reports.newest(db, "2026-W46") == corrected
            assert reports.every(db) == [corrected]
            assert reports.weeks(db) == {"2026-W46"}
            assert reports.newest(db, "2026-W45") is None


class TestSecrets:
    def test_an_author_key_lives_one_quarter(self, ledger: Ledger) -> None:
        with ledger.write() as db:
            key = secrets.quarter_key(db, NOW)
            assert (len(key), secrets.quarter_key(db, NOW + timedelta(days=1))) == (32, key)
            later = NOW + timedelta(days=60)
            assert secrets.quarter_key(db, later) != key
            assert secrets.drop_author_keys(db, later) == 1
            assert secrets.quarter_key(db, NOW) != key

    def test_other_keys_than_the_first_are_refused(self, ledger: Ledger) -> None:
        with ledger.write() as db:
            secrets.check_keys(db, {"id": "aa", "seal": "bb"})
            secrets.check_keys(db, {"id": "aa", "seal": "bb"})
            with pytest.raises(ConfigError, match="CLAIMWATCH_SEAL_KEY"):
                secrets.check_keys(db, {"id": "aa", "seal": "cc"})

    def test_an_opened_link_is_logged(self, ledger: Ledger, user: User) -> None:
        with ledger.write() as db:
            secrets.note_link_open(db, "mastodon:1", user.id, NOW)
            assert secrets.link_opens_of(db, "mastodon:1") == [(user.id, NOW)]
