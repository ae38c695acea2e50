"""A week is published once it is over, frozen, and written whole or not at all."""

import errno
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import NOW, at
from report_desk import Seen, add_claims, decide, put

from claimwatch.desk import Desk
from claimwatch.errors import ConfigError, StoreError
from claimwatch.ledger import reports
from claimwatch.records import Action
from reports.publish import checked_week, last_week, publish_week, write_report
from reports.render import render_html

WEEK = "2026-W46"
MIDWEEK = datetime(2026, 11, 11, 5, tzinfo=UTC)


class TestPublishing:
    def test_the_same_numbers_again_are_the_same_version(self, desk: Desk) -> None:
        put(desk, Seen(name="a"))
        first = publish_week(desk, WEEK)
        again = publish_week(at(desk, NOW + timedelta(days=1)), WEEK)
        assert (first.version, again.version) == (1, 1)
        assert (again.hash, again.body, again.published_at) == (first.hash, first.body, NOW)

    def test_a_correction_is_a_new_version_that_names_the_one_before(self, desk: Desk) -> None:
        (post,) = put(desk, Seen(name="a"))
        first = publish_week(desk, WEEK)
        put(desk, Seen(name="b"))
        with desk.ledger.read() as db:
            assert reports.newest(db, WEEK) == first  # a post met later changes nothing by itself
        corrected = publish_week(desk, WEEK)
        assert (corrected.version, corrected.body["version"], corrected.body["replaces"]) == (2, 2, first.hash)
        assert post.id not in json.dumps(corrected.body)

    def test_decisions_not_yet_carried_to_the_posts_are_counted(self, desk: Desk) -> None:
        add_claims(desk, "garlic")
        (post,) = put(desk, Seen(name="a"))
        decide(desk, post, Action.REPEATS, MIDWEEK, claim="garlic")
        body = publish_week(desk, WEEK).body
        assert body["counts"]["claims"][0]["spread"] == {"decided": 1, "flagged": 0}

    def test_an_old_report_needs_nothing_but_its_body(self, desk: Desk) -> None:
        add_claims(desk, "garlic")
        (post,) = put(desk, Seen(name="a"))
        first = publish_week(desk, WEEK)
        page = render_html(first.body, "vi")
        desk.posts.forget([post.id], NOW)
        with desk.ledger.read() as db:
            kept = reports.newest(db, WEEK)
        assert kept is not None
        assert render_html(kept.body, "vi") == page

    def test_a_body_holds_no_time_of_making(self, desk: Desk) -> None:
        put(desk, Seen(name="a"))
        assert "generated" not in json.dumps(publish_week(desk, WEEK).body)

    def test_no_account_key_leaves_the_store(self, desk: Desk) -> None:
        put(desk, Seen(name="a", author="a-keyed-pseudonym"))
        assert "a-keyed-pseudonym" not in json.dumps(publish_week(desk, WEEK).body)


class TestWeeks:
    def test_a_week_that_is_not_over_is_refused_but_for_a_preview(self, desk: Desk) -> None:
        with pytest.raises(ConfigError, match="not over: choose 2026-W46"):
            publish_week(desk, "2026-W47")
        shown = publish_week(desk, "2026-W47", preview=True)
        assert shown.version == 0
        with desk.ledger.read() as db:
            assert reports.every(db) == []

    def test_a_preview_of_a_finished_week_publishes_nothing_either(self, desk: Desk) -> None:
        assert publish_week(desk, WEEK, preview=True).version == 0
        with desk.ledger.read() as db:
            assert reports.weeks(db) == set()

    def test_a_week_to_come_has_no_preview(self, desk: Desk) -> None:
        with pytest.raises(ConfigError, match="has not begun"):
            publish_week(desk, "2026-W48", preview=True)

    def test_a_week_ends_at_the_desks_midnight(self, desk: Desk) -> None:
        midnight = datetime(2026, 11, 15, 17, tzinfo=UTC)
        with pytest.raises(ConfigError, match="not over"):
            publish_week(at(desk, midnight - timedelta(seconds=1)), WEEK)
        assert publish_week(at(desk, midnight), WEEK).version == 1

    def test_the_last_week_is_the_desks_own(self, desk: Desk) -> None:
        midnight = datetime(2026, 11, 15, 17, tzinfo=UTC)
        assert last_week(at(desk, midnight)) == WEEK
        assert last_week(at(desk, midnight - timedelta(seconds=1))) == "2026-W45"

    @pytest.mark.parametrize(
        "week",
        ["", "2026-47", "2026-W54", "2025-W53", "2026-W00", "0001-W01", "9999-W52", "w", "2026-W47\n", "２０２６-W47"],
    )
    def test_what_is_no_week_is_refused_in_one_line(self, week: str) -> None:
        with pytest.raises(ConfigError, match="no ISO week") as refused:
            checked_week(week)
        assert "\n" not in str(refused.value)

    def test_a_year_may_have_53_weeks(self) -> None:
        assert checked_week("2026-W53") == "2026-W53"


class TestFiles:
    def test_every_file_is_written_and_rewritten(self, desk: Desk, tmp_path: Path) -> None:
        put(desk, Seen(name="a"))
        published, folder = publish_week(desk, WEEK), tmp_path / "new" / "out"
        names = [f"report-{WEEK}.vi.html", f"report-{WEEK}.en.html", f"report-{WEEK}.json", f"report-{WEEK}.csv"]
        assert write_report(published, folder, ("vi", "en")) == [folder / name for name in names]
        before = {file.name: file.read_bytes() for file in folder.iterdir()}
        write_report(published, folder, ("vi", "en"))
        assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
        assert sorted(before) == sorted(names)
        assert json.loads(before[f"report-{WEEK}.json"])["hash"] == published.hash

    def test_a_preview_is_never_mistaken_for_the_report(self, desk: Desk, tmp_path: Path) -> None:
        files = write_report(publish_week(desk, WEEK, preview=True), tmp_path / "out", ("en",))
        assert {file.name for file in files} == {f"report-{WEEK}-preview{end}" for end in (".en.html", ".json", ".csv")}

    def test_a_full_disk_leaves_the_old_file_and_no_draft(
        self, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        published = publish_week(desk, WEEK)
        (tmp_path / "out").mkdir()
        old = tmp_path / "out" / f"report-{WEEK}.en.html"
        old.write_text("old")

        def full(_: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(StoreError, match="No space left on device") as told:
            write_report(published, tmp_path / "out", ("en",))
        assert "\n" not in str(told.value)
        assert [(file.name, file.read_text()) for file in (tmp_path / "out").iterdir()] == [(old.name, "old")]

    def test_a_folder_that_is_a_file_is_told_in_one_line(self, desk: Desk, tmp_path: Path) -> None:
        (tmp_path / "out").write_text("")
        with pytest.raises(StoreError, match="another folder"):
            write_report(publish_week(desk, WEEK), tmp_path / "out", ("en",))


class TestCommand:
    def test_the_command_writes_the_files_and_tells_the_hash(
        self, home: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        from jobs.cli import run

        _use(home, monkeypatch)
        assert run(["report", "--week", "2026-W40", "--out", str(tmp_path / "out")]) == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["week"], told["version"], len(told["hash"]), len(told["files"])) == ("2026-W40", 1, 64, 4)
        assert all(Path(file).exists() for file in told["files"])

    @pytest.mark.parametrize("week", ["2026-W60", "next", "2999-W01"])
    def test_a_bad_week_is_one_line_and_exit_2(
        self, week: str, home: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        from jobs.cli import run

        _use(home, monkeypatch)
        assert run(["report", "--week", week]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def _use(home: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run commands in this process under that environment."""
    for name in [name for name in os.environ if name.startswith(("CLAIMWATCH_", "XDG_"))]:
        monkeypatch.delenv(name)
    for name, value in home.items():
        monkeypatch.setenv(name, value)
