"""Reports, sources, search, the check of a pasted text, accounts, health, and pages for what goes wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from html import escape

import pytest
from review_desk import PASSWORD, Browser, Page, add_card, add_user, fill, signed_in

from claimwatch.desk import Desk
from claimwatch.errors import StoreError
from claimwatch.ledger import claims, reports, sources, users
from claimwatch.ledger.reports import Published
from claimwatch.posts.base import Search
from claimwatch.records import Role, Source
from review_ui.visitor import Nearest


@dataclass(frozen=True)
class Near:
    claim: str
    similarity: float = 0.87


@dataclass(frozen=True)
class Judged:
    nearest: Sequence[Nearest]
    similarity: float = 0.87


def publish(desk: Desk) -> None:
    with desk.ledger.write() as db:
        reports.publish(db, "2026-W46", digest="ab" * 32, body={"posts": 12, "words": "<tỏi>"}, now=desk.now())


def test_published_weeks_are_listed(desk: Desk) -> None:
    browser = signed_in(desk)
    assert "No week is published yet." in browser.get("/reports").text
    publish(desk)
    assert "2026-W46 1 16 Nov 2026 09:00 JSON" in browser.get("/reports").text


def test_a_report_is_shown_as_it_is_rendered_in_the_readers_language(desk: Desk) -> None:
    def render(published: Published, language: str) -> str:
        return f"<h1>{published.week}</h1><p>{language} {escape(published.body['words'])}</p>"

    publish(desk)
    browser = signed_in(desk, render_report=render, report_css="h1 { color: red; }")
    page = browser.get("/reports/2026-W46")
    assert "<p>en &lt;tỏi&gt;</p>" in page.html
    assert "SHA-256 " + "ab" * 32 in page.text
    assert 'href="/report.css?' in page.html
    style = browser.get("/report.css")
    assert (style.html, style.headers["content-type"]) == ("h1 { color: red; }", "text/css; charset=utf-8")


def test_a_report_can_be_read_without_a_renderer_and_by_a_machine(desk: Desk) -> None:
    publish(desk)
    browser = signed_in(desk)
    assert "&lt;tỏi&gt;" in browser.get("/reports/2026-W46").html
    answer = browser.client.get("/reports/2026-W46.json")
    assert "attachment" in answer.headers["content-disposition"]
    body = answer.json()
    assert (body["hash"], body["version"], body["body"]["posts"]) == ("ab" * 32, 1, 12)
    assert [browser.get(f"/reports/{week}").status for week in ("2026-W01", "2026-W01.json", "x")] == [404] * 3


def test_a_source_shows_its_state_its_reason_and_what_it_gave(desk: Desk) -> None:
    add_card(desk, "1", "Tỏi chữa covid")
    fine = Source(name="bao", kind="feed", settings={}, last_success=desk.now() - timedelta(minutes=12))
    ill = Source(name="mastodon-vi", kind="mastodon", settings={}, expected_per_week=70, attention="answered 403")
    with desk.ledger.write() as db:
        sources.seed(db, [fine, ill, Source(name="cu", kind="feed", settings={}, enabled=False)])
    page = signed_in(desk).get("/sources")
    assert "mastodon-vi mastodon needs attention answered 403 never" in page.text
    assert "1 of 70" in page.text
    assert "bao feed working 12 minutes ago" in page.text
    assert "cu feed paused" in page.text
    assert page.text.index("mastodon-vi") < page.text.index("bao feed")
    assert '<button name="enabled"' not in page.html


def test_a_lead_pauses_a_source_and_lets_it_go_on(desk: Desk) -> None:
    with desk.ledger.write() as db:
        sources.seed(db, [Source(name="bao", kind="feed", settings={})])
    browser = signed_in(desk, Role.LEAD)
    browser.get("/sources")
    assert "paused" in browser.post("/sources/bao/pause", enabled="false").text
    assert "not crawled yet" in browser.post("/sources/bao/pause", enabled="true").text
    assert browser.post("/sources/none/pause", enabled="true").status == 422


def test_posts_are_found_by_words_and_shown_without_their_authors(desk: Desk) -> None:
    add_card(desk, "1", "Tỏi chữa covid")
    add_card(desk, "2", "Nước muối diệt virus", claim=None)
    browser = signed_in(desk)
    assert "Posts are searched by what they say" in browser.get("/search").text
    page = browser.get("/search?words=toi")
    assert "<mark>Tỏi</mark>" in page.html
    assert "Tỏi chữa covid mastodon · mastodon-vi · 16 Nov 2026 06:00" in page.text
    assert "Nước muối" not in page.text
    assert "/cards/mastodon:1" in page.html
    assert "mang.example" not in page.html
    assert "author of" not in page.html
    assert "No post matches." in browser.get("/search?words=khongco").text
    assert "Nước muối" in browser.get("/search?words=&language=vi&claim=&order=urgent&flagged=true").text


def test_search_goes_on_where_the_page_ends(desk: Desk) -> None:
    for n in range(30):
        add_card(desk, f"{n:02}", f"Tỏi chữa covid lần {n:02}")
    browser = signed_in(desk)
    first = browser.get("/search?words=toi&order=newest")
    link = first.html.partition('<nav class="pager"')[2].partition('href="')[2].partition('"')[0]
    second = browser.get(link.replace("&amp;", "&"))
    assert first.text.count("flagged ·") + second.text.count("flagged ·") == 30
    assert "Back" in second.text


@pytest.mark.parametrize("query", ["order=worst", "offset=-1", "offset=999999", "words=" + "x" * 301])
def test_a_search_out_of_bounds_is_refused_in_plain_words(desk: Desk, query: str) -> None:
    page = signed_in(desk).get(f"/search?{query}")
    assert page.status == 422
    assert "A field is missing or holds something unexpected." in page.text


@pytest.mark.parametrize("words", ['"', "'", "NEAR(", "* OR *", "(", "-toi", "toi AND", "%", "\\", "^"])
def test_no_word_breaks_the_search(desk: Desk, words: str) -> None:
    add_card(desk, "1", "Tỏi chữa covid")
    browser = signed_in(desk)
    assert browser._took(browser.client.get("/search", params={"words": words})).status == 200


def check(desk: Desk, text: str, *near: str) -> Page:
    """A visitor without an account pastes a text."""
    fill(desk)
    browser = Browser(desk, score=lambda _text, _language: Judged([Near(claim) for claim in near]))
    browser.get("/check")
    browser.post("/language", language="en", back="/check")
    return browser.post("/check", text=text)


def test_anybody_may_check_a_text_against_a_judged_claim(desk: Desk) -> None:
    page = check(desk, "tỏi chữa covid <script>", "garlic-cure")
    assert page.status == 200
    assert "Similarity of your text to this claim: 87%" in page.text
    assert "The claim library, which this desk has not reviewed yet, says: false" in page.text
    assert "Garlic does not cure COVID-19." in page.text
    assert "<script>" not in page.html.partition("<body>")[2]
    assert desk.posts.search(Search(words="tỏi")).posts == ()


def test_a_claim_the_desk_has_reviewed_is_told_as_judged_by_a_person(desk: Desk) -> None:
    fill(desk)
    with desk.ledger.write() as db:
        claims.edit(db, "garlic-cure", {"harm": 3}, desk.now())
    browser = Browser(desk, score=lambda _text, _language: Judged([Near("garlic-cure")]))
    browser.get("/check")
    browser.post("/language", language="en", back="/check")
    assert "A person of this desk has judged this claim: false" in browser.post("/check", text="tỏi").text


def test_a_claim_nobody_judged_is_shown_as_that(desk: Desk) -> None:
    page = check(desk, "xông hơi", "steam-kills")
    assert "No person has judged this claim yet." in page.text
    assert "has judged this claim:" not in page.text


@pytest.mark.parametrize("near", [(), ("gone-claim",)])
def test_a_text_near_nothing_is_not_called_true(desk: Desk, near: tuple[str, ...]) -> None:
    page = check(desk, "trời hôm nay đẹp", *near)
    assert "This says nothing about whether the text is true. No person has judged it." in page.text


@pytest.mark.parametrize("text", ["", "   ", "x" * 2001])
def test_a_text_too_short_or_too_long_is_not_scored(desk: Desk, text: str) -> None:
    page = check(desk, text, "garlic-cure")
    assert page.status == 422
    assert "Paste a text of 1 to 2,000 characters." in page.text


def test_a_text_of_lines_may_be_two_thousand_characters_long(desk: Desk) -> None:
    assert check(desk, "tỏi\r\n" * 400 + "tỏi" * 100, "garlic-cure").status == 200


def test_without_a_model_there_is_no_check(desk: Desk) -> None:
    browser = signed_in(desk)
    assert "/check" not in browser.get("/queue").html
    assert browser.get("/check").status == 404
    assert browser.get("/queue").status == 200
    assert browser.post("/check", text="x").status == 404


def change(browser: Browser, present: str, new: str, again: str) -> Page:
    browser.get("/account")
    return browser.post("/account/password", present=present, new=new, again=again)


def test_a_member_changes_the_password_and_stays_signed_in(desk: Desk) -> None:
    browser, elsewhere = signed_in(desk), Browser(desk)
    elsewhere.sign_in("moderator")
    page = change(browser, PASSWORD, "another long password", "another long password")
    assert "The password is changed." in page.text
    assert browser.get("/queue").path == "/queue"
    assert elsewhere.get("/queue").path.startswith("/sign-in")
    assert Browser(desk).sign_in("moderator", "another long password").status == 200


@pytest.mark.parametrize(
    ("present", "new", "again", "problem"),
    [
        ("wrong", "another long password", "another long password", "The present password is wrong."),
        (PASSWORD, "short", "short", "at least 12 characters"),
        (PASSWORD, "another long password", "another long passwort", "The two new passwords differ."),
    ],
)
def test_a_password_is_changed_only_on_purpose(desk: Desk, present: str, new: str, again: str, problem: str) -> None:
    page = change(signed_in(desk), present, new, again)
    assert page.status == 422
    assert problem in page.text
    assert Browser(desk).sign_in("moderator").status == 200


def test_an_administrator_adds_promotes_and_shuts_out(desk: Desk) -> None:
    browser = signed_in(desk, Role.ADMIN)
    browser.get("/users")
    page = browser.post("/users", name="lan", password=PASSWORD, role="viewer", language="vi")
    assert "lan" in page.text
    with desk.ledger.read() as db:
        lan = users.by_name(db, "lan")
    assert lan
    browser.post(f"/users/{lan.id}/role", role="moderator")
    assert "shut out" in browser.post(f"/users/{lan.id}/disable", disabled="true").text
    with desk.ledger.read() as db:
        changed = users.get(db, lan.id)
    assert changed
    assert (changed.role, changed.disabled) == (Role.MODERATOR, True)
    assert Browser(desk).sign_in("lan").status == 403


@pytest.mark.parametrize(("name", "password"), [("admin", PASSWORD), (" ", PASSWORD), ("lan", "short")])
def test_an_account_needs_a_free_name_and_a_long_password(desk: Desk, name: str, password: str) -> None:
    browser = signed_in(desk, Role.ADMIN)
    browser.get("/users")
    assert browser.post("/users", name=name, password=password, role="viewer", language="vi").status == 422


def test_an_administrator_cannot_shut_the_desk_by_their_own_account(desk: Desk) -> None:
    browser = signed_in(desk, Role.ADMIN)
    with desk.ledger.read() as db:
        me = users.by_name(db, "admin")
    assert me
    browser.get("/users")
    assert browser.post(f"/users/{me.id}/disable", disabled="true").status == 422
    assert browser.post(f"/users/{me.id}/role", role="viewer").status == 422
    assert browser.post("/users/999/role", role="viewer").status == 404


def test_the_pages_speak_the_desks_language_until_a_visitor_chooses(desk: Desk) -> None:
    fill(desk)
    browser = Browser(desk)
    assert "Đăng nhập" in browser.get("/sign-in").text
    assert "Sign in" in browser.post("/language", language="en", back="/sign-in").text
    assert browser.post("/language", language="fr", back="/sign-in").status == 422


def test_a_store_that_does_not_answer_gets_a_page_and_keeps_the_session(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = signed_in(desk)

    def down(*_: object, **__: object) -> None:
        raise StoreError("posts.db: locked: try again")

    with monkeypatch.context() as patch:
        patch.setattr(type(desk.posts), "cards", down)
        page = browser.get("/queue")
    assert page.status == 503
    assert "posts.db: locked: try again" in page.text
    assert browser.get("/queue").status == 200


def test_a_fault_of_ours_is_a_page_without_a_traceback(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = signed_in(desk)

    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(claims, "every", broken)
    page = browser.get("/claims")
    assert page.status == 500
    assert "Traceback" not in page.html
    assert "secret detail" not in page.html
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_a_wrong_method_and_a_wrong_path_are_pages(desk: Desk) -> None:
    browser = signed_in(desk)
    assert browser.get("/nowhere").status == 404
    assert browser.get("/sign-out").status == 405
    assert "There is nothing here" in browser.page.text


def test_one_page_has_one_heading_and_says_its_language(desk: Desk) -> None:
    publish(desk)
    add_card(desk, "1", "Tỏi chữa covid")
    browser = signed_in(desk, Role.ADMIN, score=lambda _text, _language: Judged([]))
    add_user(desk, "other", Role.VIEWER)
    paths = "/queue /claims /claims/garlic-cure /reports /reports/2026-W46 /sources /search /check /account /users"
    for path in [*paths.split(), "/cards/mastodon:1", "/nowhere"]:
        page = browser.get(path)
        assert page.html.count("<h1") == 1, path
        assert '<html lang="en">' in page.html, path
        assert '<a class="skip" href="#main">' in page.html, path
        assert "<title> ·" not in page.html, path
