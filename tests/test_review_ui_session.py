"""Signing in, forms that belong to a session, and what each role may do."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi.routing import APIRoute
from review_desk import PASSWORD, Browser, add_card, add_user, fill, signed_in

from claimwatch.desk import Desk
from claimwatch.ledger import users
from claimwatch.records import Role, User
from review_ui.app import create_app
from review_ui.session import Session, Sessions, Throttle
from review_ui.visitor import inside

MAI = User(id=4, name="mai", role=Role.VIEWER, language="vi", session=2)


def test_a_sign_in_leads_to_the_page_that_was_asked_for(desk: Desk) -> None:
    fill(desk)
    browser = Browser(desk)
    page = browser.get("/claims?words=toi")
    assert page.path.startswith("/sign-in")
    page = browser.post("/sign-in", name="moderator", password=PASSWORD, next=page.field("next"))
    assert (page.status, page.path) == (200, "/claims?words=toi")


def test_a_wrong_password_and_an_unknown_name_look_the_same(desk: Desk) -> None:
    fill(desk)
    browser = Browser(desk)
    wrong, unknown = browser.sign_in("moderator", "not the password"), browser.sign_in("nobody", "not the password")
    assert (wrong.status, unknown.status) == (403, 403)
    assert "Tên và mật khẩu không khớp nhau" in wrong.text
    assert wrong.text == unknown.text


def test_five_wrong_passwords_make_the_account_wait(desk: Desk) -> None:
    fill(desk)
    browser = Browser(desk)
    for _ in range(5):
        assert browser.sign_in("moderator", "not the password").status == 403
    assert browser.sign_in("Moderator").status == 429
    assert browser.sign_in("somebody-else", "not the password").status == 403


def test_the_brake_waits_longer_each_time_and_lets_go() -> None:
    now = [0.0]
    throttle = Throttle(timer=lambda: now[0])
    for _ in range(5):
        assert throttle.seconds_left("mai") == 0
        throttle.failed("mai")
    assert throttle.seconds_left("MAI") == 30
    now[0] = 31
    throttle.failed("mai")
    assert throttle.seconds_left("mai") == 60
    now[0] = 2000
    throttle.failed("mai")
    assert throttle.seconds_left("mai") == 0
    throttle.succeeded("mai")
    for n in range(3000):
        throttle.failed(f"invented {n}")
    assert len(throttle._failures) == 1000


def test_a_cookie_is_taken_only_whole_signed_and_fresh() -> None:
    sessions = Sessions(b"k" * 32, 1)
    begun = sessions.begin(MAI, 7)
    cookie = sessions.seal(begun)
    assert sessions.read(cookie) == begun == Session(nonce=begun.nonce, user=4, number=2, since=7)
    assert sessions.read(None) is None
    assert sessions.read(cookie[:-2] + "xx") is None
    assert Sessions(b"other" * 8, 1).read(cookie) is None
    assert Sessions(b"k" * 32, -1).read(cookie) is None


def test_the_cookie_keeps_to_itself(desk: Desk) -> None:
    fill(desk)
    open_desk = Browser(desk).get("/sign-in").headers["set-cookie"].lower()
    assert "httponly" in open_desk
    assert "samesite=lax" in open_desk
    assert "secure" not in open_desk
    web = desk.settings.web.model_copy(update={"secure_cookies": True})
    behind_tls = replace(desk, settings=desk.settings.model_copy(update={"web": web}))
    assert "secure" in Browser(behind_tls).get("/sign-in").headers["set-cookie"].lower()


def test_signing_in_changes_the_session_so_that_an_earlier_cookie_is_worth_nothing(desk: Desk) -> None:
    fill(desk)
    browser = Browser(desk)
    before = browser.get("/sign-in").field("token")
    page = browser.post("/sign-in", name="moderator", password=PASSWORD)
    assert page.field("token") != before
    assert browser.client.post("/sign-out", data={"token": before}).status_code == 403


def test_signing_out_ends_the_session(desk: Desk) -> None:
    browser = signed_in(desk)
    assert browser.post("/sign-out").path == "/sign-in"
    assert browser.get("/queue").path.startswith("/sign-in")


@pytest.mark.parametrize("ending", ["disable", "password"])
def test_an_open_sign_in_ends_with_the_account_or_its_password(desk: Desk, ending: str) -> None:
    browser = signed_in(desk)
    with desk.ledger.write() as db:
        user = users.by_name(db, "moderator")
        assert user
        if ending == "disable":
            users.disable(db, user.id)
        else:
            users.set_password(db, user.id, "another long password")
    assert browser.get("/queue").path.startswith("/sign-in")


@pytest.fixture
def routes(desk: Desk) -> list[str]:
    app = create_app(desk, score=lambda _text, _language: pytest.fail("scored without a token"))
    found = [str(route.path) for route in every_route(app.routes) if "POST" in (route.methods or ())]
    return [re.sub(r"{\w+}", "1", path) for path in found]


def every_route(routes: Any) -> Iterator[APIRoute]:
    """Routes, also those that a newer FastAPI keeps inside of their router."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        else:
            inner = getattr(route, "original_router", None) or getattr(route, "router", None)
            yield from every_route(inner.routes if inner is not None else ())


def test_no_form_is_taken_without_the_token_of_its_session(desk: Desk, routes: list[str]) -> None:
    browser = signed_in(desk, Role.ADMIN, score=lambda _text, _language: pytest.fail("scored without a token"))
    assert len(routes) >= 17
    for path in routes:
        for fields in ({}, {"token": "made up"}, {"token": "thỏ"}):
            answer = browser.client.post(path, data=fields | {"language": "vi"})
            assert answer.status_code == 403, path


def test_nobody_posts_without_signing_in(desk: Desk, routes: list[str]) -> None:
    browser = Browser(desk)
    browser.get("/sign-in")
    for path in set(routes) - {"/sign-in", "/language", "/check"}:
        assert browser.client.post(path, data={"token": browser.page.field("token")}).url.path == "/sign-in", path


OWN = {"/sign-in", "/language", "/check", "/sign-out", "/account/password"}


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.VIEWER, 0),
        (Role.MODERATOR, 7),
        (Role.LEAD, 14),
        (Role.ADMIN, 17),
    ],
)
def test_each_role_may_post_what_is_its_own(desk: Desk, routes: list[str], role: Role, allowed: int) -> None:
    browser = signed_in(desk, role)
    answers = {path: browser.post(path).status for path in set(routes) - OWN if browser.get("/queue")}
    assert sum(status != 403 for status in answers.values()) == allowed, answers


def test_a_viewer_reads_a_card_and_is_offered_no_decision(desk: Desk) -> None:
    card = add_card(desk, "1", "Tỏi chữa covid")
    page = signed_in(desk, Role.VIEWER).get(f"/cards/{card.id}")
    assert page.status == 200
    assert "moderators decide" in page.text
    assert "/decide" not in page.html
    assert "/original" not in page.html


def test_only_administrators_see_the_accounts(desk: Desk) -> None:
    browser = signed_in(desk, Role.LEAD)
    page = browser.get("/users")
    assert page.status == 403
    assert "Your role does not include it" in page.text


def test_the_headers_keep_every_answer_to_itself(desk: Desk) -> None:
    browser = signed_in(desk)
    for path in ("/queue", "/nothing", "/health", "/static/app.css"):
        headers = browser.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
    assert browser.get("/queue").headers["cache-control"] == "no-store"


def test_a_form_without_end_is_refused_before_it_is_read(desk: Desk) -> None:
    browser = signed_in(desk)
    assert browser.client.post("/check", content=b"x" * 300_000).status_code == 413
    assert browser.client.post("/check", content=iter([b"x"])).status_code == 413


@pytest.mark.parametrize("path", ["https://bad.example", "//bad.example", "/\\bad.example", "queue", "/a\nb", ""])
def test_nobody_is_led_off_the_site(path: str) -> None:
    assert inside(path) == "/"


def test_a_sign_in_form_does_not_lead_off_the_site(desk: Desk) -> None:
    fill(desk)
    browser = Browser(desk)
    browser.get("/sign-in?next=https://bad.example/")
    assert browser.post("/sign-in", name="moderator", password=PASSWORD, next="//bad.example").path == "/queue"


def test_a_part_of_a_page_asked_for_after_the_session_leads_to_the_sign_in_form(desk: Desk) -> None:
    fill(desk)
    add_user(desk, "other", Role.VIEWER)
    answer = Browser(desk).get("/claims", **{"HX-Request": "true"})
    assert (answer.status, answer.headers["hx-redirect"]) == (204, "/sign-in")
