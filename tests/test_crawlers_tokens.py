"""Crawls get and renew their tokens themselves, and leave no trace of them."""

import base64
import json
import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from test_crawlers_crawl import Answer, Site, crawl, reddit_post, served
from test_crawlers_guard import self_signed

from claimwatch.desk import Desk
from claimwatch.ledger import sources
from claimwatch.records import Source
from crawlers import tokens
from crawlers.crawl import Crawled
from crawlers.dryrun import try_source
from crawlers.signin import AppPassword, ClientCredentials, Token
from crawlers.wording import in_words

SECRETS = {"CLAIMWATCH_REDDIT_KEY": "swordfish-one", "CLAIMWATCH_BLUESKY_PASSWORD": "swordfish-two"}
LISTING = json.dumps({"kind": "Listing", "data": {"after": None, "children": []}})


@pytest.fixture(autouse=True)
def _nothing_held() -> Iterator[None]:
    tokens._HELD.clear()
    yield
    tokens._HELD.clear()


@pytest.fixture
def signed(desk: Desk) -> Desk:
    return replace(desk, credentials=SECRETS)


def reddit(site: Site, **more: Any) -> Source:
    settings = {"subreddit": "suckhoe", "client_id": "an-app", "comments": False, "base_url": site.url}
    settings |= {"token_url": f"{site.url}/token", "allow_hosts": site.host}
    return Source(name="sub", kind="reddit", settings=settings | more)


def bluesky(site: Site, **more: Any) -> Source:
    settings = {"search": "covid", "identifier": "desk.example", "base_url": site.url, "allow_hosts": site.host}
    return Source(name="sky", kind="bluesky", settings=settings | more)


def given(number: int, seconds: int = 3600) -> Answer:
    return Answer(body=json.dumps({"access_token": f"token-{number}", "expires_in": seconds, "token_type": "bearer"}))


def session(number: int) -> Answer:
    return Answer(body=json.dumps({"accessJwt": f"access-{number}", "refreshJwt": f"renewal-{number}", "did": "x"}))


def bearers(site: Site, path: str) -> list[str]:
    return [str(headers["Authorization"]) for asked, headers in site.asked if asked.startswith(path)]


def test_reddit_gets_a_token_for_its_app_and_keeps_it_while_it_lasts(signed: Desk) -> None:
    def answer(path: str, before: int) -> Answer:
        return given(before + 1) if path == "/token" else Answer(body=LISTING)

    with served(answer) as site:
        assert [crawl(signed, reddit(site)).failure for _ in range(2)] == ["", ""]
        assert bearers(site, "/r/") == ["Bearer token-1"] * 2
        assert site.posted == [("/token", b"grant_type=client_credentials")]
        assert bearers(site, "/token") == ["Basic " + base64.b64encode(b"an-app:swordfish-one").decode()]


def test_a_token_that_ends_is_asked_for_anew_before_it_does(signed: Desk) -> None:
    with served(lambda path, before: given(before + 1, 1) if path == "/token" else Answer(body=LISTING)) as site:
        crawl(signed, reddit(site))
        tokens._HELD.update({key: (token, 0.0) for key, (token, _) in tokens._HELD.items()})
        crawl(signed, reddit(site))
        assert bearers(site, "/r/") == ["Bearer token-1", "Bearer token-2"]


def test_a_token_that_is_no_longer_taken_is_renewed_once(signed: Desk) -> None:
    page = {"kind": "Listing", "data": {"after": None, "children": [{"kind": "t3", "data": reddit_post("Tỏi")}]}}

    def answer(path: str, before: int) -> Answer:
        if path == "/token":
            return given(before + 1)
        return Answer(body=json.dumps(page)) if before else Answer(401, '{"message": "Unauthorized", "error": 401}')

    with served(answer) as site:
        done = crawl(signed, reddit(site))
        assert bearers(site, "/r/") == ["Bearer token-1", "Bearer token-2"]
    assert (done.failure, done.outcomes) == ("", {"stored": 1})


def test_a_door_that_stays_closed_needs_attention_after_one_renewal(signed: Desk) -> None:
    with served(lambda path, before: given(before + 1) if path == "/token" else Answer(401, "{}")) as site:
        done = crawl(signed, reddit(site))
        assert len(bearers(site, "/r/")) == 2
    assert done.permanent
    assert done.failure.startswith("401")


@pytest.mark.parametrize(
    ("answer", "permanent"),
    [
        (Answer(401, '{"message": "Unauthorized"}'), True),
        (Answer(200, '{"error": "invalid_grant"}'), True),
        (Answer(200, "<html>"), True),
        (Answer(302, headers={"Location": "/elsewhere"}), True),
        (Answer(500, "oops"), False),
    ],
)
def test_a_refused_sign_in_says_what_to_check(signed: Desk, answer: Answer, permanent: bool) -> None:
    with served(lambda *_: answer) as site:
        done = crawl(signed, reddit(site))
        assert bearers(site, "/r/") == []
        assert "/elsewhere" not in site.paths
    assert done.permanent is permanent
    assert "signing in was refused" in done.failure
    assert ("check client_id and CLAIMWATCH_REDDIT_KEY" in done.failure) is permanent


def test_bluesky_signs_in_with_an_app_password_and_renews_its_session(signed: Desk) -> None:
    def answer(path: str, before: int) -> Answer:
        if "createSession" in path:
            return session(1)
        if "refreshSession" in path:
            return session(2 + before)
        return Answer(400, '{"error": "ExpiredToken"}') if not before else Answer(body='{"posts": []}')

    with served(answer) as site:
        done = crawl(signed, bluesky(site))
        assert bearers(site, "/xrpc/app.bsky.feed") == ["Bearer access-1", "Bearer access-2"]
        assert bearers(site, "/xrpc/com.atproto.server.refreshSession") == ["Bearer renewal-1"]
        assert json.loads(site.posted[0][1]) == {"identifier": "desk.example", "password": "swordfish-two"}
    assert done.failure == ""


def test_bluesky_signs_in_anew_where_its_session_cannot_be_renewed(signed: Desk) -> None:
    def answer(path: str, before: int) -> Answer:
        if "createSession" in path:
            return session(before + 1)
        if "refreshSession" in path:
            return Answer(400, '{"error": "ExpiredToken"}')
        return Answer(400, '{"error": "ExpiredToken"}') if not before else Answer(body='{"posts": []}')

    with served(answer) as site:
        assert crawl(signed, bluesky(site)).failure == ""
        assert bearers(site, "/xrpc/app.bsky.feed") == ["Bearer access-1", "Bearer access-2"]


def test_a_sign_in_that_the_server_limits_waits(signed: Desk) -> None:
    def answer(path: str, before: int) -> Answer:
        limited = Answer(429, headers={"Retry-After": "3600"})
        return limited if "createSession" in path else Answer(body='{"posts": []}')

    with served(answer) as site:
        done = crawl(signed, bluesky(site))
        assert len(site.posted) == 1
    assert not done.permanent
    assert "429" in done.failure


@pytest.mark.parametrize(
    ("make", "named"),
    [(reddit, "set client_id and CLAIMWATCH_REDDIT_KEY"), (bluesky, "set identifier and CLAIMWATCH_BLUESKY_PASSWORD")],
)
def test_without_its_secret_a_source_says_which_to_set(desk: Desk, make: Callable[[Site], Source], named: str) -> None:
    with served(lambda *_: Answer(body=LISTING)) as site:
        done = crawl(desk, make(site))
        assert site.asked == []
    assert done.permanent
    assert named in done.failure


def test_no_secret_and_no_token_is_kept_or_logged(
    signed: Desk, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    done: list[Crawled] = []
    with served(lambda path, _: given(7) if path == "/token" else Answer(401, "{}")) as site:
        done.append(crawl(signed, reddit(site)))
    with served(lambda path, _: session(8) if "Session" in path else Answer(403, "{}")) as site:
        done.append(crawl(signed, bluesky(site)))
    kept = "".join(dumped(file) for file in tmp_path.rglob("*.db"))
    with signed.ledger.read() as db:
        kept += repr(sources.every(db))
    assert "suckhoe" in kept
    for secret in (*SECRETS.values(), "token-7", "access-8", "renewal-8"):
        assert secret not in kept
        assert secret not in caplog.text
        assert secret not in repr(done)


def dumped(file: Path) -> str:
    with closing(sqlite3.connect(file)) as db:
        return "\n".join(db.iterdump())


def test_secrets_do_not_show_in_what_a_debugger_prints() -> None:
    first = ClientCredentials(url="https://a.example", client="id", secret="fish", secret_env="X_KEY")
    second = AppPassword(base="https://a.example", identifier="me", password="fish", password_env="X_PASSWORD")
    shown = [first, second, first.ask(None), second.ask(None), Token(access="fish", seconds=1, renewal="fish")]
    assert "fish" not in repr(shown)
    assert "fish" not in first.whose + second.whose
    assert first.whose != replace(first, secret="other").whose


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"access_token": 5.5}', b'{"accessJwt": null}', b"\xff"])
def test_an_answer_without_a_token_is_none(body: bytes) -> None:
    first = ClientCredentials(url="https://a.example", client="id", secret="fish", secret_env="X_KEY")
    second = AppPassword(base="https://a.example", identifier="me", password="fish", password_env="X_PASSWORD")
    assert first.read(body) is None
    assert second.read(body) is None


def test_no_credential_goes_to_a_server_that_cannot_prove_who_it_is(
    signed: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof = self_signed(tmp_path)

    def answer(path: str, _: int) -> Answer:
        return given(1) if path == "/token" else Answer(body=LISTING)

    with served(answer, certificate=proof) as site:
        base = site.url.replace("http://127.0.0.1", "https://localhost")
        there = {"base_url": base, "token_url": f"{base}/token", "allow_hosts": "localhost"}
        refused = crawl(signed, reddit(site, **there))
        assert site.posted == []
        monkeypatch.setenv("SSL_CERT_FILE", str(proof))
        assert crawl(signed, reddit(site, **there)).failure == ""
    assert refused.permanent
    assert "certificate is not valid" in refused.failure


def test_a_trial_signs_in_too(signed: Desk) -> None:
    page = {"kind": "Listing", "data": {"after": None, "children": [{"kind": "t3", "data": reddit_post("Tỏi")}]}}
    with served(lambda path, _: given(1) if path == "/token" else Answer(body=json.dumps(page))) as site:
        trial = try_source(signed, reddit(site))
        assert bearers(site, "/r/") == ["Bearer token-1"]
    assert (trial.failure, len(trial.posts)) == ("", 1)


def test_what_is_said_of_signing_in_is_said_in_vietnamese() -> None:
    line = "401: signing in was refused: check client_id and CLAIMWATCH_REDDIT_KEY"
    assert in_words(line, "vi") == "bị từ chối đăng nhập: hãy kiểm tra client_id và biến CLAIMWATCH_REDDIT_KEY (401)"
    line = "set client_id and A_KEY, or set B_TOKEN first"
    assert in_words(line, "vi") == "trước hết hãy đặt client_id và biến A_KEY, hoặc biến B_TOKEN"
