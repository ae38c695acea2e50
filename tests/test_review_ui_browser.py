"""The pages as a moderator meets them: in Chromium, by keyboard, in both languages."""

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from report_samples import WEEK, busy_numbers
from review_desk import PASSWORD, add_card, fill, history

from claimwatch.desk import Desk
from claimwatch.errors import StoreError
from claimwatch.ledger import reports
from claimwatch.ledger.base import Ledger
from claimwatch.ledger.reports import Published
from claimwatch.posts.sqlite import SqlitePosts
from claimwatch.records import Action
from reports.numbers import body_of
from reports.render import REPORT_CSS, render_inner
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


def render(published: Published, language: str) -> str:
    return render_inner(published.body, language)


@pytest.fixture
def address(desk: Desk) -> Iterator[str]:
    """A filled desk, served on loopback."""
    fill(desk)
    add_card(desk, "1", "Nhai tỏi sống mỗi sáng thì covid chạy mất", priority=9)
    add_card(desk, "2", "Súc miệng nước muối diệt sạch virus", priority=7, claim=None)
    add_card(desk, "3", "Xông hơi ba lần là khỏi hẳn", priority=5, claim="steam-kills")
    with desk.ledger.write() as db:
        reports.publish(db, WEEK, digest="ab" * 32, body=body_of(busy_numbers(), version=1), now=desk.now())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = create_app(desk, render_report=render, report_css=REPORT_CSS)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(20)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS.split())
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    made = chromium.new_context(viewport={"width": 1280, "height": 800})
    made.set_default_timeout(10_000)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext, address: str) -> Iterator[Page]:
    """A moderator at the queue; whatever the page complains of fails the test."""
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    sign_in(opened, address)
    yield opened
    assert [one for one in complaints if "status of 4" not in one] == []


def sign_in(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.locator("[name=name]")).to_be_focused()
    page.keyboard.type("moderator")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Queue")


def test_a_moderator_decides_and_undoes_by_keyboard_alone(page: Page, desk: Desk, tmp_path: Path) -> None:
    expect(page.locator(".head")).to_contain_text("3 open cards · decided this week 0 of 3")
    page.screenshot(path=tmp_path / "queue.png")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("blockquote")).to_contain_text("Nhai tỏi sống")
    page.screenshot(path=tmp_path / "card.png")
    page.keyboard.press("r")
    expect(page.get_by_role("status")).to_contain_text("Decided: repeats the claim “Raw garlic cures COVID-19.”")
    expect(page.locator("blockquote")).to_contain_text("Súc miệng nước muối")
    assert [one.action for one in history(desk, "mastodon:1")] == [Action.REPEATS]
    page.keyboard.press("u")
    expect(page.get_by_role("status")).to_contain_text("The decision was taken back")
    expect(page.locator("blockquote")).to_contain_text("Nhai tỏi sống")
    assert [one.action for one in history(desk, "mastodon:1")] == [Action.REPEATS, Action.UNDO]


def test_every_key_of_the_card_does_what_the_help_says(page: Page, desk: Desk, address: str) -> None:
    page.goto(f"{address}/cards/mastodon:1")
    page.keyboard.press("?")
    expect(page.locator("details.keys dl")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("details.keys dl")).to_be_hidden()
    page.keyboard.press("j")
    expect(page.locator("blockquote")).to_contain_text("Súc miệng")
    page.keyboard.press("k")
    expect(page.locator("blockquote")).to_contain_text("Nhai tỏi")
    page.keyboard.press("s")
    expect(page.get_by_role("status")).to_contain_text("Skipped.")
    expect(page.locator("blockquote")).to_contain_text("Súc miệng")
    page.keyboard.press("h")
    expect(page.get_by_role("status")).to_contain_text("not a health claim")
    expect(page.locator("blockquote")).to_contain_text("Xông hơi")
    page.keyboard.press("f")
    expect(page.locator("blockquote")).to_contain_text("Nhai tỏi")
    page.keyboard.press("a")
    expect(page.get_by_role("heading", level=1)).to_have_text("Queue")
    expect(page.locator("main")).to_contain_text("Nothing waits for a decision.")
    last = [history(desk, f"mastodon:{n}")[-1] for n in (1, 2, 3)]
    assert [(one.action, one.claim) for one in last] == [
        (Action.ASKS, "garlic-cure"),
        (Action.NOT_HEALTH, None),
        (Action.REFUTES, "steam-kills"),
    ]


def test_a_new_claim_is_typed_without_the_letters_deciding(page: Page, desk: Desk, address: str) -> None:
    page.goto(f"{address}/cards/mastodon:2")
    page.keyboard.press("n")
    page.keyboard.type("Nước muối diệt sạch virus trong họng")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("a new claim “Nước muối diệt sạch virus trong họng”")
    assert history(desk, "mastodon:2")[0].claim == "nuoc-muoi-diet-sach-virus-trong-hong"


def test_another_claim_is_found_by_typing(page: Page, desk: Desk, address: str) -> None:
    page.goto(f"{address}/cards/mastodon:2")
    page.keyboard.press("c")
    page.keyboard.type("xong hoi")
    options = page.locator("#choices option")
    expect(options).to_have_count(1)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Repeats the chosen claim").click()
    expect(page.get_by_role("status")).to_contain_text("Steam kills the virus.")
    assert [(one.action, one.claim) for one in history(desk, "mastodon:2")] == [(Action.REPEATS, "steam-kills")]


def test_a_reason_is_typed_without_enter_deciding(page: Page, desk: Desk, address: str) -> None:
    page.goto(f"{address}/cards/mastodon:1")
    page.get_by_label("Reason").fill("as it says")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    assert history(desk, "mastodon:1") == []
    page.keyboard.press("1")
    expect(page.get_by_role("status")).to_contain_text("Decided")
    assert history(desk, "mastodon:1")[0].reason == "as it says"


def test_the_language_switches_and_the_report_follows(page: Page, address: str, tmp_path: Path) -> None:
    page.get_by_role("link", name="Reports").click()
    page.get_by_role("link", name=WEEK).click()
    expect(page.locator("main")).to_contain_text("Bottom line")
    page.get_by_role("button", name="Tiếng Việt").click()
    expect(page.locator("html")).to_have_attribute("lang", "vi")
    expect(page).to_have_title(f"Báo cáo tuần {WEEK} · a claimwatch desk")
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.locator(".cw-report")).to_have_css("background-color", "rgb(255, 255, 255)")
    page.screenshot(path=tmp_path / "report.png", full_page=True)
    page.get_by_role("link", name="Tuyên bố", exact=True).click()
    page.get_by_role("link", name="Ăn tỏi sống chữa khỏi COVID-19.").click()
    expect(page.locator("main")).to_contain_text("Tỏi không chữa được COVID-19.")
    expect(page.get_by_role("img", name="bài đăng trong 28 ngày")).to_be_visible()
    page.screenshot(path=tmp_path / "claim.png")


def test_claims_are_narrowed_while_typing(page: Page, address: str) -> None:
    page.goto(f"{address}/claims")
    page.get_by_label("Words").press_sequentially("xong")
    expect(page.locator("#found")).to_contain_text("1 of 2 claims")
    expect(page).to_have_url(f"{address}/claims?words=xong")


def test_an_original_opens_in_its_own_tab_on_record(page: Page, address: str, context: BrowserContext) -> None:
    context.route("https://mang.example/**", lambda route: route.fulfill(body="the original"))
    page.goto(f"{address}/cards/mastodon:1")
    with context.expect_page() as opened:
        page.keyboard.press("o")
    opened.value.wait_for_url("https://mang.example/@someone/1")
    expect(opened.value.locator("body")).to_have_text("the original")


@pytest.mark.parametrize("width", [360, 1280, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_its_window(
    chromium: Browser, address: str, tmp_path: Path, width: int, scheme: str
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    sign_in(page, address)
    for path in (
        "queue",
        "cards/mastodon:1",
        "claims",
        "claims/garlic-cure",
        "sources",
        "search?words=toi",
        "account",
        f"reports/{WEEK}",
    ):
        page.goto(f"{address}/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        page.screenshot(path=tmp_path / f"{path.partition('?')[0].replace('/', '-')}.png", full_page=True)
        if width == 1280 and path.startswith("cards"):
            assert page.evaluate("document.documentElement.scrollHeight") <= 800
    context.close()


def test_the_cursor_is_always_seen(page: Page, address: str) -> None:
    page.goto(f"{address}/cards/mastodon:1")
    for _ in range(25):
        page.keyboard.press("Tab")
        seen = page.evaluate(
            "() => { const style = getComputedStyle(document.activeElement);"
            " return document.activeElement === document.body || style.outlineStyle !== 'none' }"
        )
        assert seen, page.evaluate("document.activeElement.outerHTML")


def test_the_pages_work_without_javascript(chromium: Browser, address: str, desk: Desk) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, address)
    page.get_by_role("link", name="Nhai tỏi").click()
    page.locator("summary", has_text="Another claim").click()
    page.locator("select[name=other]").select_option("steam-kills")
    page.get_by_role("button", name="Repeats the chosen claim").click()
    expect(page.locator("#messages")).to_contain_text("Decided: repeats the claim “Steam kills the virus.”")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#messages")).to_contain_text("The decision was taken back")
    assert [one.action for one in history(desk, "mastodon:1")] == [Action.REPEATS, Action.UNDO]
    context.close()


@contextmanager
def down(store: type, *methods: str) -> Iterator[None]:
    """These methods of a store fail while this lasts, as they do when its server is gone."""

    def fail(*_: object, **__: object) -> None:
        raise StoreError("the ledger cannot be used: server closed the connection: try again")

    def fail_posts(*_: object, **__: object) -> None:
        raise StoreError("http://posts.internal:9200: connection refused: see whether Elasticsearch runs")

    with pytest.MonkeyPatch.context() as patch:
        for method in methods:
            patch.setattr(store, method, fail if store is Ledger else fail_posts)
        yield


OUTAGE = {
    "en": ("The store of posts does not answer", "The ledger does not answer", "Try again"),
    "vi": ("Kho bài đăng không trả lời", "Sổ ghi quyết định không trả lời", "Thử lại"),
}


@pytest.mark.parametrize("language", OUTAGE)
def test_an_outage_is_a_page_that_says_which_store_and_ends_by_itself(
    address: str, context: BrowserContext, tmp_path: Path, language: str
) -> None:
    posts, ledger, again = OUTAGE[language]
    page = context.new_page()
    sign_in(page, address)
    if language == "vi":
        page.get_by_role("button", name="Tiếng Việt").click()
    with down(SqlitePosts, "cards", "count_cards"):
        page.goto(f"{address}/ready")
        assert '"ready":false' in page.content()
        assert "posts.internal" not in page.content()
        page.goto(f"{address}/queue")
        expect(page.get_by_role("heading", level=1)).to_have_text(posts)
        page.screenshot(path=tmp_path / f"outage-posts-{language}.png")
    page.get_by_role("link", name=again).click()
    expect(page).to_have_url(f"{address}/queue")
    expect(page.locator("[data-row]").first).to_be_visible()
    with down(Ledger, "read", "write"):
        page.goto(f"{address}/queue")
        expect(page.get_by_role("heading", level=1)).to_have_text(ledger)
        page.screenshot(path=tmp_path / f"outage-ledger-{language}.png")
    page.get_by_role("link", name=again).click()
    expect(page.locator("[data-row]").first).to_be_visible()
    page.goto(f"{address}/ready")
    assert '"ready":true' in page.content()


def test_words_typed_during_an_outage_get_a_note_and_keep_the_page(
    address: str, context: BrowserContext, tmp_path: Path
) -> None:
    page = context.new_page()
    sign_in(page, address)
    page.goto(f"{address}/claims")
    with down(Ledger, "read", "write"):
        page.locator("input[name=words]").fill("garlic")
        expect(page.get_by_role("alert")).to_contain_text("The ledger does not answer")
        page.screenshot(path=tmp_path / "outage-note.png")
    expect(page.locator("#found")).to_contain_text("garlic", ignore_case=True)
    page.locator("input[name=words]").fill("steam")
    expect(page.locator("#found")).not_to_contain_text("garlic", ignore_case=True)
    expect(page.get_by_role("alert")).to_have_count(0)
