"""The pages of sources in Chromium: by mouse and by keyboard, with and without script, in both languages."""

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from review_desk import PASSWORD, fill, make_post
from test_crawlers_crawl import FEED, ITEM, Answer, Site, served

from claimwatch.clock import SystemClock
from claimwatch.desk import Desk
from claimwatch.ledger import runs, sources
from claimwatch.records import Role, Source
from crawlers.crawl import crawl_now
from jobs.sourcekinds import CrawledKinds
from review_ui.app import create_app

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed: apt-get install chromium"),
]
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


@pytest.fixture
def present(desk: Desk) -> Desk:
    """The desk in the present, so that what a trial waits for and what pages tell go by one clock."""
    chosen = desk.settings.crawl.model_copy(update={"max_age_days": 36_500})
    return replace(desk, clock=SystemClock(), settings=desk.settings.model_copy(update={"crawl": chosen}))


@pytest.fixture
def site() -> Iterator[Site]:
    """A feed on loopback that takes its time."""
    items = "".join(ITEM.format(n=n) for n in range(1, 8)) + ITEM.format(n=3)
    with served(lambda *_: Answer(body=FEED.format(items=items), wait=0.7)) as opened:
        yield opened


@pytest.fixture
def address(present: Desk, site: Site) -> Iterator[str]:
    """A desk with sources in every state, served on loopback."""
    fill(present, Role.ADMIN)
    prepare(present, site)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = create_app(present, kinds=CrawledKinds(present))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(20)


def prepare(desk: Desk, site: Site) -> None:
    now = desk.now()
    given = {"url": f"{site.url}/rss", "allow_hosts": ["127.0.0.1"]}
    good = Source(name="bao-suc-khoe", kind="feed", settings=given, language="vi", expected_per_week=14)
    refused = Source(name="kenh-dong", kind="telegram", settings={"channel": "kenhdong"})
    rows = (
        replace(good, last_success=now - timedelta(minutes=12), last_try=now - timedelta(minutes=12)),
        replace(refused, attention="404: not_found: the server knows no such thing"),
        Source(name="who", kind="feed", settings={"url": "https://who.example/rss"}, enabled=False),
    )
    with desk.ledger.write() as db:
        for source in rows:
            sources.put(db, source)
        run = runs.start(db, "crawl", now - timedelta(days=6), source="bao-suc-khoe")
        runs.count(db, run, {"stored": 9, "dropped(repeated)": 1})
        runs.finish(db, run, now - timedelta(days=6))
    for back in (0, 1, 3, 4):
        collected = now - timedelta(days=back)
        post = make_post(desk, f"p{back}", f"Bài số {back}", source="bao-suc-khoe", collected_at=collected)
        desk.posts.add([post], token=post.id)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS.split())
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    made = chromium.new_context(viewport={"width": 1280, "height": 800})
    made.set_default_timeout(15_000)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext, address: str) -> Iterator[Page]:
    """An administrator; whatever the page complains of fails the test."""
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    sign_in(opened, address)
    yield opened
    assert [one for one in complaints if "status of 4" not in one] == []


def sign_in(page: Page, address: str) -> None:
    page.goto(f"{address}/sign-in?next=%2Fsources")
    page.locator("[name=name]").fill("admin")
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sources")


def pictures(tmp_path: Path) -> Path:
    """Where screenshots go; CLAIMWATCH_TEST_PICTURES keeps them for somebody to look at."""
    kept = os.environ.get("CLAIMWATCH_TEST_PICTURES")
    return Path(kept) if kept else tmp_path


def test_a_source_is_added_by_keyboard_alone(page: Page, present: Desk, site: Site, tmp_path: Path) -> None:
    page.get_by_role("link", name="Add a source").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Add a source")
    page.screenshot(path=pictures(tmp_path) / "kinds.png", full_page=True)
    page.get_by_role("link", name="feed", exact=True).focus()
    page.keyboard.press("Enter")
    page.locator("[name=name]").focus()
    page.keyboard.type("Tin Mới")
    page.keyboard.press("Tab")
    page.keyboard.type(f"{site.url}/rss")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Something is not right yet")
    expect(page.locator("[name=name]")).to_have_attribute("aria-describedby", "wrong-name")
    expect(page.locator("#wrong-name")).to_contain_text("small letters")
    page.screenshot(path=pictures(tmp_path) / "form-name.png", full_page=True)
    page.locator("[name=name]").fill("tin-moi")
    page.keyboard.press("Enter")
    expect(page.locator("#wrong-url")).to_contain_text("127.0.0.1 is not on the public Internet")
    page.screenshot(path=pictures(tmp_path) / "form.png", full_page=True)
    page.get_by_label("Hosts").fill("127.0.0.1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").last).to_contain_text("Asking")
    page.screenshot(path=pictures(tmp_path) / "trial-waits.png", full_page=True)
    expect(page.locator("#result")).to_contain_text("8 posts on the first page; left out: twice on the page 1")
    expect(page.locator(".trial li")).to_have_count(7)
    page.screenshot(path=pictures(tmp_path) / "trial.png", full_page=True)
    page.get_by_role("button", name="Save and crawl it").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("tin-moi not crawled yet")
    with present.ledger.read() as db:
        assert sources.get(db, "tin-moi").settings == {"url": f"{site.url}/rss", "allow_hosts": ["127.0.0.1"]}


def test_try_now_shows_what_became_of_it(page: Page, present: Desk, address: str, tmp_path: Path) -> None:
    page.screenshot(path=pictures(tmp_path) / "sources.png", full_page=True)
    expect(page.locator("a.count")).to_contain_text("1 source needs a look")
    page.get_by_role("button", name="Try now bao-suc-khoe").click()
    expect(page.locator("#progress")).to_contain_text("A worker begins within half a minute")
    page.screenshot(path=pictures(tmp_path) / "try-waits.png", full_page=True)
    with present.ledger.write() as db:
        assert list(sources.asked(db)) == ["bao-suc-khoe"]
        sources.take_asked(db, ["bao-suc-khoe"])
    assert [one.failure for one in crawl_now(present, ["bao-suc-khoe"])] == [""]
    expect(page.locator("#progress")).to_contain_text("The crawl went well: new: 7, left out (twice on the page): 1")
    page.get_by_role("link", name="Show the page as it is now").click()
    expect(page.locator("main")).to_contain_text("done new: 7, left out (twice on the page): 1")
    page.screenshot(path=pictures(tmp_path) / "try-done.png", full_page=True)
    page.goto(f"{address}/sources/kenh-dong")
    expect(page.locator(".problem")).to_have_text("the server knows no such thing (404)")


def test_a_source_is_changed_paused_and_resumed(page: Page, present: Desk, address: str, tmp_path: Path) -> None:
    page.goto(f"{address}/sources/bao-suc-khoe")
    page.screenshot(path=pictures(tmp_path) / "source.png", full_page=True)
    page.get_by_role("link", name="Change").click()
    page.locator("[name=every]").fill("90")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".head")).to_contain_text("crawled every 90 minutes")
    page.get_by_role("button", name="Pause").click()
    row = page.get_by_role("row").filter(has_text="bao-suc-khoe")
    expect(row).to_contain_text("paused")
    row.get_by_role("button", name="Go on").click()
    expect(row).to_contain_text("working")
    with present.ledger.read() as db:
        assert sources.get(db, "bao-suc-khoe").every == 90


def test_the_pages_of_sources_speak_vietnamese(page: Page, address: str, tmp_path: Path) -> None:
    page.get_by_role("button", name="Tiếng Việt").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Nguồn")
    expect(page.locator("main")).to_contain_text("cần xem lại máy chủ không biết nơi này (404)")
    page.screenshot(path=pictures(tmp_path) / "sources-vi.png", full_page=True)
    page.goto(f"{address}/sources/~add?kind=youtube")
    page.locator("[name=name]").fill("x")
    page.get_by_role("button", name="Hỏi thử một lần").click()
    expect(page.get_by_role("alert")).to_contain_text("hãy điền video hoặc kênh")
    page.screenshot(path=pictures(tmp_path) / "form-vi.png", full_page=True)
    page.goto(f"{address}/sources/bao-suc-khoe")
    page.screenshot(path=pictures(tmp_path) / "source-vi.png", full_page=True)


def test_all_of_it_works_without_script(chromium: Browser, address: str, present: Desk, site: Site) -> None:
    context = chromium.new_context(java_script_enabled=False)
    context.set_default_timeout(15_000)
    page = context.new_page()
    sign_in(page, address)
    page.get_by_role("link", name="Add a source").click()
    page.get_by_role("link", name="feed", exact=True).click()
    page.locator("[name=name]").fill("tin-moi")
    page.locator("[name='set.url']").fill(f"{site.url}/rss")
    page.locator("[name='set.allow_hosts']").fill("127.0.0.1")
    page.get_by_role("button", name="Ask it once").click()
    expect(page.locator("#result")).to_contain_text("Asking")
    deadline = time.monotonic() + 15
    while page.get_by_role("link", name="Look again").count() and time.monotonic() < deadline:
        page.get_by_role("link", name="Look again").click()
    expect(page.locator(".trial li")).to_have_count(7)
    page.get_by_role("button", name="Save it paused").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("tin-moi paused")
    page.goto(f"{address}/sources/bao-suc-khoe")
    page.get_by_role("button", name="Try now").click()
    expect(page.locator("#progress")).to_contain_text("Asked for.")
    crawl_now(present, ["bao-suc-khoe"])
    page.get_by_role("link", name="Look again").click()
    expect(page.locator("#progress")).to_contain_text("The crawl went well")
    context.close()


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_of_sources_is_wider_than_its_window(
    chromium: Browser, address: str, tmp_path: Path, width: int, scheme: str
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    sign_in(page, address)
    for path in ("sources", "sources/bao-suc-khoe", "sources/kenh-dong", "sources/~add", "sources/~add?kind=bluesky"):
        page.goto(f"{address}/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        name = path.replace("/", "-").replace("?", "-")
        page.screenshot(path=pictures(tmp_path) / f"{name}-{width}-{scheme}.png", full_page=True)
    context.close()


def test_the_cursor_is_always_seen_on_a_form(page: Page, address: str) -> None:
    page.goto(f"{address}/sources/~add?kind=jetstream")
    for _ in range(24):
        page.keyboard.press("Tab")
        seen = page.evaluate(
            "() => { const style = getComputedStyle(document.activeElement);"
            " return document.activeElement === document.body || style.outlineStyle !== 'none' }"
        )
        assert seen, page.evaluate("document.activeElement.outerHTML")
