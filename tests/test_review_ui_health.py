"""What is answered to whatever watches the process, and to people while a store is down."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from forwarder import Forwarder
from prometheus_client.parser import text_string_to_metric_families
from review_desk import Browser, add_card, fill, signed_in

from claimwatch.desk import Desk
from claimwatch.errors import StoreError
from claimwatch.ledger.base import Ledger
from claimwatch.pulse import Pulse
from claimwatch.settings import Web
from review_ui import patience
from review_ui.app import create_app
from review_ui.session import LANGUAGE_COOKIE

PLACE = "/srv/inside/posts.db"


@contextmanager
def posts_down(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The posts store answers nothing while this lasts."""

    def down(*_: object, **__: object) -> None:
        raise StoreError(f"{PLACE}: disk I/O error: check the disk")

    with monkeypatch.context() as patch:
        for method in ("cards", "card", "get", "search", "count_cards"):
            patch.setattr(type(desk.posts), method, down)
        yield


@contextmanager
def ledger_down(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The ledger answers nothing while this lasts."""

    @contextmanager
    def down(_: object) -> Iterator[None]:
        raise StoreError("the ledger cannot be used: server closed the connection: try again")
        yield

    with monkeypatch.context() as patch:
        patch.setattr(type(desk.ledger), "read", down)
        patch.setattr(type(desk.ledger), "write", down)
        yield


def test_health_asks_no_store(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = Browser(desk)
    with posts_down(desk, monkeypatch), ledger_down(desk, monkeypatch):
        assert (browser.get("/health").status, browser.page.html) == (200, "ok")


def test_ready_names_the_store_that_does_not_answer_and_not_its_place(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Browser(desk).get("/ready").status == 200
    browser = Browser(desk)
    with posts_down(desk, monkeypatch):
        page = browser.get("/ready")
    said = json.loads(page.html)
    assert page.status == 503
    assert said["stores"] == {"ledger": "ok", "posts": "check the disk"}
    assert said["problem"] == "posts: check the disk"
    assert "retry-after" in page.headers
    assert PLACE not in page.html
    assert Browser(desk).get("/ready").status == 200


@pytest.mark.parametrize(
    ("language", "posts", "ledger"),
    [
        ("en", "The store of posts does not answer", "The ledger does not answer"),
        ("vi", "Kho bài đăng không trả lời", "Sổ ghi quyết định không trả lời"),
    ],
)
def test_a_page_says_which_store_is_down_in_the_visitors_language(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, language: str, posts: str, ledger: str
) -> None:
    browser = signed_in(desk)
    browser.post("/language", language=language, back="/queue")
    browser.client.cookies.set(LANGUAGE_COOKIE, language, domain="testserver.local")
    with posts_down(desk, monkeypatch):
        down = browser.get("/queue")
    assert (down.status, down.headers["retry-after"]) == (503, "10")
    assert posts in down.text
    with ledger_down(desk, monkeypatch):
        down = browser.get("/queue")
    assert (down.status, down.headers["retry-after"]) == (503, "10")
    assert ledger in down.text
    assert browser.get("/queue").status == 200


def test_only_members_are_told_the_operators_line(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    member, nobody = signed_in(desk), Browser(desk)
    nobody.get("/sign-in")
    with posts_down(desk, monkeypatch):
        assert PLACE in member.get("/queue").text
    with ledger_down(desk, monkeypatch):
        assert "server closed the connection" in member.get("/queue").text
        page = nobody.post("/sign-in", name="moderator", password="anything")
    assert page.status == 503
    assert "server closed the connection" not in page.text


def test_a_part_of_a_page_gets_a_note_in_its_own_place(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = signed_in(desk)
    card = add_card(desk, "1", "Nhai tỏi sống mỗi sáng")
    with ledger_down(desk, monkeypatch):
        part = browser.get(f"/cards/{card.id}/choices", **{"hx-request": "true"})
    assert part.status == 503
    assert part.headers["hx-retarget"] == "#messages"
    assert "<main" not in part.html
    assert 'role="alert"' in part.html


def test_whoever_asks_for_json_gets_json(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = signed_in(desk)
    with posts_down(desk, monkeypatch):
        said = json.loads(browser.get("/queue", accept="application/json").html)
    assert (said["store"], said["retry_after"]) == ("posts", 10)


def exposed(desk: Desk, asker: str = "127.0.0.1", **headers: str) -> tuple[int, str]:
    """The answer of /metrics to somebody at that address."""
    client = TestClient(create_app(desk), client=(asker, 5000))
    answer = client.get("/metrics", headers=headers)
    return answer.status_code, answer.text


def with_web(desk: Desk, **web: str) -> Desk:
    """The same desk with other settings of its pages."""
    return replace(desk, settings=desk.settings.model_copy(update={"web": Web(**web)}))


def test_figures_are_for_this_machine_unless_networks_are_named(desk: Desk) -> None:
    assert exposed(desk)[0] == 200
    assert exposed(desk, "10.1.2.3")[0] == 404
    assert exposed(desk, "testclient")[0] == 404
    assert exposed(desk, **{"x-forwarded-for": "127.0.0.1"})[0] == 404
    opened = with_web(desk, metrics="10.1.0.0/16 fd00::/8")
    assert exposed(opened, "10.1.2.3")[0] == 200
    assert exposed(opened, "10.2.2.3")[0] == 404
    assert exposed(opened, "fd00::7")[0] == 200
    assert exposed(with_web(desk, metrics="off"))[0] == 404


def test_a_network_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="'everyone' is no network"):
        Web(metrics="everyone")


def test_figures_count_requests_by_template_and_hold_no_id_and_no_text(desk: Desk) -> None:
    browser = signed_in(desk)
    card = add_card(desk, "secretid", "Nhai tỏi sống mỗi sáng thì covid chạy mất")
    browser.get(f"/cards/{card.id}")
    browser.get("/nothing/of/ours")
    page = exposed(desk)[1]
    families = {family.name: family for family in text_string_to_metric_families(page)}
    routes = {sample.labels["route"] for sample in families["claimwatch_http_request_duration_seconds"].samples}
    assert {"/cards/{card}", "/queue", "(none)"} <= routes
    assert "secretid" not in page
    assert "tỏi" not in page
    up = {sample.labels["store"]: sample.value for sample in families["claimwatch_store_up"].samples}
    assert up == {"ledger": 1, "posts": 1}
    open_cards = [s.value for s in families["claimwatch_cards"].samples if s.labels["state"] == "open"]
    assert open_cards == [1]


def test_figures_say_which_store_is_down(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(desk)
    with posts_down(desk, monkeypatch):
        page = exposed(desk)[1]
    assert 'claimwatch_store_up{store="posts"} 0.0' in page
    assert 'claimwatch_store_up{store="ledger"} 1.0' in page
    assert "claimwatch_cards{" not in page


def test_a_page_whose_store_hangs_is_given_up_in_time_and_the_next_one_works(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, go_on = signed_in(desk), threading.Event()

    def hang(*_: object, **__: object) -> None:
        go_on.wait(20)
        raise StoreError("posts.db: locked: try again")

    with monkeypatch.context() as patch:
        patch.setattr(patience, "SECONDS", 0.05)
        patch.setattr(type(desk.posts), "cards", hang)
        patch.setattr(type(desk.posts), "count_cards", hang)
        page = browser.get("/queue")
        alive = browser.get("/health").status
        go_on.set()
    assert (page.status, page.headers["retry-after"], alive) == (503, "10", 200)
    assert "Kho bài đăng không trả lời" in page.text
    assert browser.get("/queue").status == 200


def test_a_form_is_waited_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = signed_in(desk)
    monkeypatch.setattr(patience, "SECONDS", 0.0)
    assert browser.post("/language", language="vi", back="/health").status == 200


@pytest.fixture
def served(desk: Desk, postgres_database: str) -> Iterator[tuple[Desk, Forwarder]]:
    """A desk whose ledger is on PostgreSQL, with a way there that can be cut."""
    way = Forwarder(postgres_database)
    ledger = Ledger.connect(way.url)
    yield replace(desk, ledger=ledger), way
    way.heal()
    ledger.close()
    way.close()


@pytest.mark.servers
def test_a_real_server_that_goes_and_comes_back_is_told_and_forgotten(served: tuple[Desk, Forwarder]) -> None:
    desk, way = served
    browser = signed_in(desk)
    assert browser.get("/ready").status == 200
    way.cut()
    assert (browser.get("/queue").status, browser.page.headers["retry-after"]) == (503, "10")
    assert "Sổ ghi quyết định không trả lời" in browser.page.text
    health = Pulse(desk).beat()
    assert list(health.problems) == ["ledger"]
    assert "127.0.0.1" not in health.problems["ledger"]
    way.heal()
    assert browser.get("/queue").status == 200
    assert Pulse(desk).beat().is_well


@pytest.mark.servers
def test_a_real_server_that_stands_still_costs_seconds_and_not_the_pages(
    served: tuple[Desk, Forwarder], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, way = served
    browser = signed_in(desk)
    monkeypatch.setattr(patience, "SECONDS", 0.2)
    way.freeze()
    begun = time.monotonic()
    assert browser.get("/queue").status == 503
    assert "Sổ ghi quyết định không trả lời" in browser.page.text
    assert time.monotonic() - begun < 60
    way.heal()
    monkeypatch.undo()
    assert browser.get("/queue").status == 200
