"""Sources on the pages: how they do, tried now, added and changed after a trial."""

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from conftest import at
from review_desk import Browser, make_post, signed_in

from claimwatch.clock import local_day
from claimwatch.desk import Desk
from claimwatch.ledger import crawls, runs, sources
from claimwatch.records import Role, Source
from claimwatch.sourceforms import FieldForm, KindForm, Trial, TrialPost
from review_ui.trials import Trials

FEED = KindForm(
    name="feed",
    help="A feed.",
    fields=(
        FieldForm(name="url", help="Its address.", shape="text", required=True, default=""),
        FieldForm(name="replies", help="Replies too.", shape="flag", required=False, default="yes"),
        FieldForm(name="wire", help="Its form.", shape="choice", required=False, default="v2", choices=("v1", "v2")),
        FieldForm(name="allow_hosts", help="Hosts.", shape="list", required=False, default="", guarded=True),
    ),
)
GIVEN = Trial(
    posts=(TrialPost(text="Ăn tỏi <b>mỗi ngày</b>", language="vi", created_at=None, left_out="old"),),
    found=3,
    left_out={"opted_out": 2, "old": 1},
    problems=("undated: 1 posts have no usable date",),
)
#: A new source, as its form sends it.
NEW = {"kind": "feed", "name": "neu", "set.url": "https://n.example", "every": "9"}


class Kinds:
    """One kind of source, whose trials give what they are told."""

    def __init__(self, trial: Trial = GIVEN) -> None:
        self.trial = trial
        self.tried: list[Source] = []
        self.waits = False

    def forms(self, language: str) -> tuple[KindForm, ...]:
        del language
        return (FEED,)

    def faults(self, source: Source, language: str) -> Mapping[str, str]:
        if not str(source.settings.get("url", "")).startswith("https://"):
            return {"url": f"This is no address. ({language})"}
        return {}

    def host(self, source: Source) -> str:
        return str(source.settings.get("url", "")).rpartition("/")[0]

    def in_words(self, line: str, language: str) -> str:
        return f"{line} [{language}]" if line else ""

    def try_out(self, source: Source) -> Trial:
        self.tried.append(source)
        while self.waits:
            time.sleep(0.01)
        return self.trial


def until(true: Callable[[], bool]) -> bool:
    end = time.monotonic() + 120
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    return true()


def feed(name: str = "bao", **changes: Any) -> Source:
    return Source(**({"name": name, "kind": "feed", "settings": {"url": "https://tin.example/rss"}} | changes))


def put(desk: Desk, *listed: Source) -> None:
    with desk.ledger.write() as db:
        for source in listed:
            sources.put(db, source)


def crawled(desk: Desk, name: str, hours_ago: float, *, status: str = "done", stored: int = 0, said: str = "") -> int:
    began = desk.now() - timedelta(hours=hours_ago)
    with desk.ledger.write() as db:
        run = runs.start(db, "crawl", began, source=name)
        runs.count(db, run, {"stored": stored} if stored else {})
        if status != "running":
            runs.finish(db, run, began, status=status, message=said)
        return run


def lead(desk: Desk, kinds: Kinds | None = None, role: Role = Role.LEAD) -> Browser:
    return signed_in(desk, role, kinds=kinds or Kinds())


def test_every_state_is_named_with_its_reason(desk: Desk) -> None:
    now = desk.now()
    fresh = {"last_success": now - timedelta(minutes=5), "last_try": now - timedelta(minutes=5)}
    put(
        desk,
        feed("a-working", **fresh),
        feed("b-paused", enabled=False),
        feed("c-refused", attention="403: forbidden"),
        feed("d-failing", last_success=now - timedelta(hours=9), last_try=now),
        feed("e-idle", last_success=now - timedelta(hours=9), last_try=now - timedelta(hours=8)),
        feed("f-blocked", settings={"url": "https://zu.example/rss"}, **fresh),
        feed("g-new"),
        feed("h-silent", expected_per_week=70, **fresh),
    )
    crawled(desk, "d-failing", 1, status="failed", said="no answer within 30 seconds")
    for hours in range(24 * 9):
        crawled(desk, "h-silent", hours)
    with desk.ledger.write() as db:
        sources.limit(db, "https://zu.example", until=time.time() + 3600, reason="429: the server asks to wait")
    text = lead(desk).get("/sources").text
    for said in (
        "a-working feed working 5 minutes ago",
        "b-paused feed paused",
        "c-refused feed needs attention 403: forbidden [en]",
        "d-failing feed failing No crawl went well since 16 Nov 2026 00:00. no answer within 30 seconds [en]",
        "e-idle feed not crawled Not crawled since 16 Nov 2026 01:00: is a worker running?",
        "f-blocked feed blocked for now Until 16 Nov 2026 ",
        "g-new feed not crawled yet never",
        "h-silent feed silent 0 new posts in 168 hours, where about 70 were to be expected.",
    ):
        assert said in text
    assert text.index("c-refused") < text.index("d-failing") < text.index("a-working")


def test_leads_are_told_how_many_sources_need_a_look_on_every_page(desk: Desk) -> None:
    put(desk, feed(attention="403"), feed("zwei", attention="404"), feed("fine"))
    assert "2 sources need a look" in lead(desk).get("/claims").text
    moderator = Browser(desk)
    moderator.client.cookies.clear()
    assert "need a look" not in moderator.get("/sign-in").text


def test_others_are_not_told(desk: Desk) -> None:
    put(desk, feed(attention="403"))
    assert "needs a look" not in signed_in(desk, Role.MODERATOR).get("/claims").text


def test_seven_days_stand_beside_what_is_expected_and_gaps_are_named(desk: Desk) -> None:
    put(desk, feed(expected_per_week=14, last_success=desk.now(), last_try=desk.now()), feed("still"))
    crawled(desk, "bao", 24 * 6, stored=9)
    for back in (0, 1, 3, 4, 5):
        collected = desk.now() - timedelta(days=back)
        post = make_post(desk, f"p{back}", f"Bài số {back}", source="bao", collected_at=collected)
        desk.posts.add([post], token=post.id)
    page = lead(desk).get("/sources")
    assert "5 of 14 (36%)" in page.text
    gap = desk.now() - timedelta(days=2)
    assert f"(36%) {local_day(gap, desk.settings.zone).day} Nov Try now bao" in page.text
    assert "still 0 (nothing stated) –" in page.text
    one = lead_again(desk).get("/sources/bao").text
    assert "The last crawls 10 Nov 2026 09:00 · done new: 9" in one
    assert "url https://tin.example/rss" in one


def lead_again(desk: Desk) -> Browser:
    """The same account in another browser."""
    browser = Browser(desk, kinds=Kinds())
    browser.sign_in("lead")
    return browser


def test_settings_are_for_leads_and_an_unknown_source_is_told(desk: Desk) -> None:
    put(desk, feed())
    browser = signed_in(desk, Role.MODERATOR, kinds=Kinds())
    page = browser.get("/sources/bao")
    assert "tin.example" not in page.text
    assert "Try now" not in page.text
    assert browser.get("/sources/none").status == 422
    for path in ("/sources/~add", "/sources/bao/edit", "/sources/~trial/x"):
        assert browser.get(path).status == 403
    browser.get("/sources")
    assert browser.post("/sources/bao/try").status == 403
    assert browser.post("/sources/~add", kind="feed", name="neu").status == 403


def test_try_now_is_waited_for_until_the_crawl_has_ended(desk: Desk) -> None:
    put(desk, feed())
    crawled(desk, "bao", 5, stored=3)
    browser = lead(desk)
    browser.get("/sources")
    page = browser.post("/sources/bao/try")
    assert page.path == "/sources/bao?after=1"
    assert "A worker begins within half a minute" in page.text
    assert 'hx-trigger="every 2s"' in page.html
    with desk.ledger.read() as db:
        assert list(sources.asked(db)) == ["bao"]
    again = "/sources/bao/progress?after=1&seen=waiting"
    assert again.replace("&", "&amp;") in page.html
    assert browser.get(again).status == 204
    run = crawled(desk, "bao", 0, status="running")
    part = browser.get(again)
    assert "Crawling since" in part.text
    assert "<html" not in part.html
    assert browser.get("/sources/bao/progress?after=1&seen=running").status == 204
    browser.get("/sources")
    assert browser.post("/sources/bao/try").path == "/sources/bao?after=1"  # the one under way is shown
    with desk.ledger.write() as db:
        runs.count(db, run, {"stored": 4, "dropped(opted_out)": 2, "rejected(no_uri)": 1})
        runs.finish(db, run, desk.now())
    ended = browser.get("/sources/bao/progress?after=1&seen=running")
    counts = "new: 4, left out (the author asks not to be collected): 2, not readable (no_uri): 1"
    assert f"The crawl went well: {counts}" in ended.text
    assert "hx-trigger" not in ended.html


def test_a_crawl_that_fails_and_a_worker_that_is_not_there_are_told(desk: Desk) -> None:
    put(desk, feed())
    browser = lead(desk)
    browser.get("/sources")
    browser.post("/sources/bao/try")
    later = Browser(at(desk, desk.now() + timedelta(minutes=3)), kinds=Kinds())
    later.sign_in("lead")
    assert "No worker has begun yet" in later.get("/sources/bao/progress?after=0").text
    crawled(desk, "bao", 0, status="failed", said="404: not_found: the server knows no such thing")
    assert "The crawl failed: 404: not_found" in browser.get("/sources/bao/progress?after=0").text


def test_a_source_is_added_after_a_trial_showed_its_posts(desk: Desk) -> None:
    kinds = Kinds()
    browser = lead(desk, kinds)
    assert "feed A feed." in browser.get("/sources/~add").text
    browser.get("/sources/~add?kind=feed")
    page = browser.post(
        "/sources/~add",
        **{"kind": "feed", "name": "neu", "set.url": "https://neu.example/rss", "set.replies": "yes"},
        **{"set.wire": "v2", "language": "vi", "every": "45", "expected_per_week": "30"},
    )
    assert page.path.startswith("/sources/~trial/")
    assert until(lambda: "The first posts" in browser.get(page.path).text)
    shown = browser.page
    assert "3 posts on the first page; left out: the author asks not to be collected 2, too old 1" in shown.text
    assert "without a date · Vietnamese · left out (too old) Ăn tỏi <b>mỗi ngày</b>" in shown.text
    assert "&lt;b&gt;mỗi ngày" in shown.html
    assert "undated: 1 posts have no usable date [en]" in shown.text
    with desk.ledger.read() as db:
        assert sources.every(db) == []
    assert browser.post(f"{page.path}/save", enabled="true").path == "/sources/neu"
    with desk.ledger.read() as db:
        kept = sources.get(db, "neu")
    assert kept == Source(
        name="neu", kind="feed", settings={"url": "https://neu.example/rss"}, language="vi", every=45,
        expected_per_week=30, enabled=True, edited=True,
    )  # fmt: skip
    assert kinds.tried[0].settings == kept.settings


def test_a_trial_that_failed_says_why_and_the_source_can_be_kept_paused_or_changed(desk: Desk) -> None:
    browser = lead(desk, Kinds(Trial(failure="404: gone")))
    browser.get("/sources/~add?kind=feed")
    page = browser.post(
        "/sources/~add", **{"kind": "feed", "name": "neu", "set.url": "https://n.example", "every": "9"}
    )
    assert until(lambda: "404: gone [en]" in browser.get(page.path).text)
    form = browser.get(f"/sources/~add?trial={page.path.rpartition('/')[2]}")
    assert form.field("kind") == "feed"
    assert 'value="https://n.example"' in form.html
    browser.get(page.path)
    assert "paused" in browser.post(f"{page.path}/save", enabled="false").text


def test_what_is_wrong_stands_beside_its_field_and_the_form_stays_filled(desk: Desk) -> None:
    put(desk, feed())
    browser = lead(desk)
    browser.get("/sources/~add?kind=feed")
    filled = {"kind": "feed", "name": "bao", "set.url": "https://neu.example", "every": "0", "expected_per_week": "x"}
    page = browser.post("/sources/~add", **filled)
    assert page.status == 422
    assert 'name="name" value="bao"' in page.html
    assert 'aria-invalid="true" aria-describedby="wrong-name"' in page.html
    for said in ("This name is taken", "from 1 to 10080", "A whole number of posts"):
        assert said in page.text
    page = browser.post("/sources/~add", **(filled | {"name": "Báo mới"}))
    assert "Up to 60 small letters" in page.text
    page = browser.post("/sources/~add", **{"kind": "feed", "name": "neu", "set.url": "ftp://x", "every": "5"})
    assert 'id="wrong-url">This is no address. (en)' in page.html
    assert browser.post("/sources/~add", kind="telepathy", name="neu").status == 404


def test_a_changed_source_is_tried_and_begins_anew(desk: Desk) -> None:
    put(desk, feed(attention="403", last_success=desk.now()))
    with desk.ledger.write() as db:
        sources.move_cursor(db, "bao", "feed", state={"etag": "1"}, now=desk.now())
    browser = lead(desk)
    assert 'value="https://tin.example/rss"' in browser.get("/sources/bao/edit").html
    given = {
        "kind": "feed",
        "set.url": "https://neu.example/rss",
        "set.replies": "yes",
        "set.wire": "v2",
        "every": "30",
    }
    page = browser.post("/sources/bao/edit", **given, action="save")
    assert page.path.startswith("/sources/~trial/")
    assert until(lambda: "Save it paused" in browser.get(page.path).text)
    browser.post(f"{page.path}/save", enabled="true")
    with desk.ledger.read() as db:
        kept = sources.get(db, "bao")
        assert sources.cursor(db, "bao", "feed") == {}
    assert (kept.settings, kept.attention, kept.last_success) == ({"url": "https://neu.example/rss"}, "", None)


def test_other_changes_are_kept_at_once_and_leave_the_crawls_alone(desk: Desk) -> None:
    put(desk, feed(settings={"url": "https://tin.example/rss", "wire": "v2"}, last_success=desk.now(), enabled=False))
    with desk.ledger.write() as db:
        sources.move_cursor(db, "bao", "feed", state={"etag": "1"}, now=desk.now())
    browser = lead(desk)
    browser.get("/sources/bao/edit")
    given = {"kind": "x", "name": "x", "set.url": "https://tin.example/rss", "set.replies": "yes", "set.wire": "v2"}
    page = browser.post("/sources/bao/edit", **given, every="120", expected_per_week="7", action="save")
    assert page.path == "/sources/bao"
    with desk.ledger.read() as db:
        kept = sources.get(db, "bao")
        assert sources.cursor(db, "bao", "feed") == {"etag": "1"}
    assert (kept.every, kept.expected_per_week, kept.last_success, kept.enabled) == (120, 7, desk.now(), False)


def test_whom_to_reach_beyond_the_public_internet_is_for_administrators(desk: Desk) -> None:
    kinds = Kinds()
    put(desk, feed(settings={"url": "https://tin.example/rss", "allow_hosts": ["own.example"]}))
    browser = lead(desk, kinds)
    assert "allow_hosts" not in browser.get("/sources/bao/edit").html
    given = {"kind": "feed", "set.url": "https://b.example/rss", "set.allow_hosts": "10.0.0.1", "every": "30"}
    browser.post("/sources/bao/edit", **given)
    assert until(lambda: bool(kinds.tried))
    assert kinds.tried[0].settings["allow_hosts"] == ["own.example"]


def test_an_administrator_may_name_hosts(desk: Desk) -> None:
    kinds = Kinds()
    put(desk, feed())
    browser = lead(desk, kinds, Role.ADMIN)
    assert "For administrators" in browser.get("/sources/bao/edit").text
    given = {"kind": "feed", "set.url": "https://b.example/rss", "set.allow_hosts": "a.example, b.example"}
    browser.post("/sources/bao/edit", **given, every="30")
    assert until(lambda: bool(kinds.tried))
    assert kinds.tried[0].settings["allow_hosts"] == ["a.example", "b.example"]


def test_a_trial_is_waited_for_and_is_its_own_accounts(desk: Desk) -> None:
    kinds = Kinds()
    kinds.waits = True
    browser = lead(desk, kinds)
    browser.get("/sources/~add?kind=feed")
    given = {"kind": "feed", "set.url": "https://neu.example", "every": "5"}
    pages = [browser.post("/sources/~add", **given, name=f"n{number}") for number in range(3)]
    here = pages[0].path
    assert 'hx-trigger="every 1s"' in pages[0].html
    assert "Save" not in pages[0].text
    assert browser.get(f"{here}/result").status == 204
    browser.get("/sources/~add?kind=feed")
    assert "Other trials are under way" in browser.post("/sources/~add", **given, name="n4").text
    assert browser.post(f"{here}/save", enabled="true").status == 409
    kinds.waits = False
    assert until(lambda: browser.get(f"{here}/result").status == 200)
    assert "Save and crawl it" in browser.page.text
    assert "<html" not in browser.page.html
    trials: Trials = browser.app.state.site.trials
    assert trials.get(here.rpartition("/")[2], 99) is None
    assert browser.get("/sources/~trial/unknown").status == 404


def test_without_kinds_sources_are_shown_and_not_added(desk: Desk) -> None:
    put(desk, feed(attention="403: forbidden"))
    browser = signed_in(desk, Role.LEAD)
    page = browser.get("/sources")
    assert "403: forbidden" in page.text
    assert "Add a source" not in page.text
    assert browser.get("/sources/~add").status == 404
    assert browser.get("/sources/bao/edit").status == 404


def test_a_trial_that_breaks_is_a_broken_page_and_others_go_on(desk: Desk) -> None:
    class Broken(Kinds):
        def try_out(self, source: Source) -> Trial:
            raise RuntimeError(source.name)

    browser = lead(desk, Broken())
    browser.get("/sources/~add?kind=feed")
    page = browser.post(
        "/sources/~add", **{"kind": "feed", "name": "neu", "set.url": "https://n.example", "every": "9"}
    )
    assert until(lambda: browser.get(page.path).status == 500)


@pytest.mark.parametrize("name", ["a", "a.b-c_d"])
def test_names_go_into_addresses_and_back(desk: Desk, name: str) -> None:
    put(desk, feed(name))
    browser = lead(desk)
    assert browser.get(f"/sources/{name}").status == 200
    assert browser.post(f"/sources/{name}/try").status == 200
    with desk.ledger.read() as db:
        assert crawls.last_number(db) == 0
