"""One card: what it shows, how it is decided, undone, and what happens when two people decide it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from conftest import at
from review_desk import Browser, add_card, add_user, card_of, history, keep, make_post, signed_in

from claimwatch.desk import Desk
from claimwatch.errors import StoreError
from claimwatch.ledger import claims, secrets
from claimwatch.projector import project_decisions
from claimwatch.records import Action, CardState, Post, Role, Verdict

CARD = "mastodon:1"


@pytest.fixture
def browser(desk: Desk) -> Browser:
    add_card(desk, "1", "Tỏi chữa covid\ntrong một đêm", priority=9)
    add_card(desk, "2", "Nước muối diệt virus", priority=5, claim=None)
    return signed_in(desk)


def test_a_card_shows_the_post_beside_the_claim_and_its_answer(browser: Browser) -> None:
    page = browser.get(f"/cards/{CARD}")
    assert "Tỏi chữa covid\ntrong một đêm" in page.html
    assert "Repeats: Raw garlic cures COVID-19. near 90%" in page.text
    assert "Garlic does not cure COVID-19." in page.text
    assert "WHO: Mythbusters" in page.text
    assert "likely false 93%, repeats" in page.text
    assert "stage encoder, model m1" in page.text
    assert "near a known phrasing" in page.text
    assert "mang.example" not in page.html


def test_a_decision_is_kept_with_what_was_read_and_leads_to_the_next_card(desk: Desk, browser: Browser) -> None:
    page = browser.decide(CARD, "repeats garlic-cure", reason="says it outright")
    assert page.path == "/cards/mastodon:2?decided=mastodon%3A1"
    assert "Decided: repeats the claim “Raw garlic cures COVID-19.” Undo u" in page.text
    [kept] = history(desk, CARD)
    assert (kept.action, kept.claim, kept.number, kept.reason) == (Action.REPEATS, "garlic-cure", 1, "says it outright")
    assert (kept.text, kept.language, kept.model, kept.p_false, kept.flag) == (
        "Tỏi chữa covid\ntrong một đêm",
        "vi",
        "m1",
        0.93,
        True,
    )
    card = desk.posts.card([CARD])[CARD]
    assert (card.state, card.number, card.claim) == (CardState.DECIDED, 1, "garlic-cure")


@pytest.mark.parametrize(
    ("choice", "action", "claim"),
    [
        ("refutes garlic-cure", Action.REFUTES, "garlic-cure"),
        ("asks garlic-cure", Action.ASKS, "garlic-cure"),
        ("asks", Action.ASKS, None),
        ("not_health", Action.NOT_HEALTH, None),
    ],
)
def test_every_button_decides(desk: Desk, browser: Browser, choice: str, action: Action, claim: str | None) -> None:
    assert browser.decide(CARD, choice).status == 200
    assert [(one.action, one.claim) for one in history(desk, CARD)] == [(action, claim)]


def test_another_claim_can_be_chosen_from_the_list(desk: Desk, browser: Browser) -> None:
    browser.decide(CARD, "repeats", other="steam-kills")
    assert history(desk, CARD)[0].claim == "steam-kills"


def test_the_list_of_claims_is_narrowed_by_words_without_diacritics(browser: Browser) -> None:
    page = browser.get(f"/cards/{CARD}/choices?words=xong+hoi")
    assert "Steam kills the virus." in page.text
    assert "garlic" not in page.text
    assert "<html" not in page.html


@pytest.mark.parametrize("choice", ["repeats", "repeats no-such-claim", "undo", "new_claim", "burn"])
def test_a_choice_that_says_nothing_is_refused(desk: Desk, browser: Browser, choice: str) -> None:
    page = browser.decide(CARD, choice)
    assert page.status == 422
    assert "This cannot be taken as it is" in page.text
    assert history(desk, CARD) == []


def test_a_decision_on_a_merged_claim_goes_to_the_claim_it_became(desk: Desk, browser: Browser) -> None:
    with desk.ledger.write() as db:
        claims.merge(db, "steam-kills", "garlic-cure", desk.now())
    browser.decide(CARD, "repeats steam-kills")
    assert history(desk, CARD)[0].claim == "garlic-cure"


def test_an_undo_takes_the_decision_back_and_opens_the_card(desk: Desk, browser: Browser) -> None:
    page = browser.decide(CARD, "repeats garlic-cure")
    page = browser.post(f"/cards/{CARD}/undo", seen=page.html.partition('name="seen" value="')[2][0])
    assert page.path.startswith(f"/cards/{CARD}")
    assert "The decision was taken back; the card is open again." in page.text
    assert [one.action for one in history(desk, CARD)] == [Action.REPEATS, Action.UNDO]
    assert desk.posts.card([CARD])[CARD].state is CardState.OPEN
    assert browser.decide(CARD, "asks").status == 200


def test_the_second_of_two_deciders_is_told_how_the_card_stands(desk: Desk, browser: Browser) -> None:
    add_user(desk, "other", Role.MODERATOR)
    other = Browser(desk)
    other.sign_in("other")
    page = browser.get(f"/cards/{CARD}")
    seen = {name: page.field(name) for name in ("seen", "text_hash")}
    other.decide(CARD, "repeats garlic-cure")
    late = browser.post(f"/cards/{CARD}/decide", **seen, choice="not_health")
    assert late.status == 409
    assert "Your decision was not kept." in late.text
    assert "It stands now as repeats the claim : Raw garlic cures COVID-19. (other," in late.text
    assert len(history(desk, CARD)) == 1


def test_a_text_edited_under_the_readers_eyes_is_not_judged(desk: Desk, browser: Browser) -> None:
    page = browser.get(f"/cards/{CARD}")
    seen = {name: page.field(name) for name in ("seen", "text_hash")}
    edited = make_post(desk, "1", "Tỏi không chữa được covid", edited_at=desk.now())
    assert desk.posts.add([edited], token="later") == ["updated"]
    assert browser.post(f"/cards/{CARD}/decide", **seen, choice="repeats garlic-cure").status == 409
    assert history(desk, CARD) == []


def test_a_decision_sent_twice_is_kept_once(desk: Desk, browser: Browser) -> None:
    page = browser.get(f"/cards/{CARD}")
    sent = {name: page.field(name) for name in ("seen", "text_hash")} | {"choice": "asks"}
    assert [browser.post(f"/cards/{CARD}/decide", **sent).status for _ in range(2)] == [200, 409]
    assert len(history(desk, CARD)) == 1


def new_claim(browser: Browser, statement: str) -> int:
    page = browser.get(f"/cards/{CARD}")
    seen = {name: page.field(name) for name in ("seen", "text_hash")}
    return browser.post(f"/cards/{CARD}/new-claim", **seen, statement=statement, language="vi").status


def test_a_new_claim_is_kept_without_a_verdict_and_decides_the_card(desk: Desk, browser: Browser) -> None:
    assert new_claim(browser, " Đắp lá trầu chữa khỏi sốt xuất huyết. ") == 200
    [kept] = history(desk, CARD)
    assert (kept.action, kept.claim) == (Action.NEW_CLAIM, "dap-la-trau-chua-khoi-sot-xuat-huyet")
    with desk.ledger.read() as db:
        claim = claims.get(db, kept.claim or "")
    assert claim
    assert dict(claim.statement) == {"vi": "Đắp lá trầu chữa khỏi sốt xuất huyết."}
    assert (claim.verdict, claim.edited) == (None, True)


def test_a_new_claim_gets_an_id_of_its_own(desk: Desk, browser: Browser) -> None:
    with desk.ledger.write() as db:
        claim = claims.get(db, "garlic-cure")
        assert claim
        claims.add(db, replace(claim, id="garlic-cures-all", verdict=Verdict.FALSE), desk.now())
    assert new_claim(browser, "Garlic cures all!") == 200
    assert history(desk, CARD)[0].claim == "garlic-cures-all-2"


def test_a_new_claim_of_a_late_decider_is_not_kept(desk: Desk, browser: Browser) -> None:
    page = browser.get(f"/cards/{CARD}")
    seen = {name: page.field(name) for name in ("seen", "text_hash")}
    browser.decide(CARD, "asks")
    late = browser.post(f"/cards/{CARD}/new-claim", **seen, statement="Something quite new", language="en")
    assert late.status == 409
    with desk.ledger.read() as db:
        assert claims.get(db, "something-quite-new") is None


def test_a_claim_of_one_word_is_refused(desk: Desk, browser: Browser) -> None:
    assert new_claim(browser, "tỏi") == 422
    assert history(desk, CARD) == []


def test_a_sealed_link_opens_on_record(desk: Desk, browser: Browser) -> None:
    browser.get(f"/cards/{CARD}")
    answer = browser.post(f"/posts/{CARD}/original")
    assert answer.headers["refresh"] == "0; url=https://mang.example/@someone/1"
    assert "You are led to mang.example." in answer.text
    with desk.ledger.read() as db:
        assert [when for _, when in secrets.link_opens_of(db, CARD)] == [desk.now()]


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "https://"])
def test_a_link_that_no_browser_should_follow_is_not_offered(desk: Desk, url: str) -> None:
    card_of(desk, make_post(desk, "9", "Tỏi chữa covid", sealed_url=desk.keys.seal_link(url)))
    card_of(desk, make_post(desk, "8", "Tỏi chữa covid nhé", url=url, sealed_url=None))
    browser = signed_in(desk)
    assert "javascript:" not in browser.get("/cards/mastodon:8").html
    browser.get("/cards/mastodon:9")
    assert browser.post("/posts/mastodon:9/original").status == 404


def test_a_link_that_names_nobody_is_plain(desk: Desk) -> None:
    card_of(desk, make_post(desk, "9", "Tỏi chữa covid", url="https://bao.example/toi", sealed_url=None))
    page = signed_in(desk).get("/cards/mastodon:9")
    assert 'href="https://bao.example/toi"' in page.html
    assert "/original" not in page.html


def test_copies_that_came_after_the_decision_are_marked(desk: Desk, browser: Browser) -> None:
    browser.decide(CARD, "repeats garlic-cure")
    later = desk.now() + timedelta(hours=1)
    keep(desk, copy_of(desk, "early", collected_at=desk.now() - timedelta(hours=1)), group=CARD)
    keep(desk, copy_of(desk, "late", collected_at=later), group=CARD)
    page = browser.get(f"/cards/{CARD}")
    assert page.text.count("inherited the decision") == 1
    assert page.text.index("bản early") < page.text.index("bản late") < page.text.index("inherited the decision")


def test_a_card_whose_post_is_gone_shows_what_was_judged_and_cannot_be_decided(desk: Desk, browser: Browser) -> None:
    browser.decide(CARD, "repeats garlic-cure")
    keep(desk, copy_of(desk, "late"), group=CARD)
    desk.posts.forget([CARD], desk.now())
    page = browser.get(f"/cards/{CARD}")
    assert "The post is no longer kept" in page.text
    assert "trong một đêm" in page.text
    assert "/decide" not in page.html


def test_a_card_nobody_knows_is_not_found(browser: Browser) -> None:
    for path in ("/cards/mastodon:none", "/cards/mastodon:none/choices"):
        page = browser.get(path)
        assert page.status == 404
        assert "There is nothing here" in page.text


def test_the_message_bar_cannot_be_forged(desk: Desk, browser: Browser) -> None:
    add_user(desk, "other", Role.MODERATOR)
    other = Browser(desk)
    other.sign_in("other")
    other.decide(CARD, "asks")
    for card in (CARD, "mastodon:2", "nonsense"):
        assert "Decided:" not in browser.get(f"/queue?decided={card}").text


def test_a_decision_is_kept_though_the_posts_store_cannot_take_it(
    desk: Desk, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object, __: object) -> None:
        raise StoreError("the disk is full: free some space")

    page = browser.get(f"/cards/{CARD}")
    sent = {name: page.field(name) for name in ("seen", "text_hash")} | {"choice": "asks"}
    with monkeypatch.context() as patch:
        patch.setattr(type(desk.posts), "project", full)
        assert "Decided: asks about it" in browser.post(f"/cards/{CARD}/decide", **sent).text
    assert [one.action for one in history(desk, CARD)] == [Action.ASKS]
    assert desk.posts.card([CARD])[CARD].state is CardState.OPEN
    page = browser.get(f"/cards/{CARD}")
    assert "Decided: asks about it moderator, 16 Nov 2026 09:00 Undo" in page.text
    assert "/decide" not in page.html
    assert project_decisions(desk) == 1
    assert desk.posts.card([CARD])[CARD].state is CardState.DECIDED


def test_the_decision_carries_the_desks_time(desk: Desk, browser: Browser) -> None:
    browser.decide(CARD, "asks")
    assert history(desk, CARD)[0].at == desk.now() == at(desk, desk.now()).now()


def copy_of(desk: Desk, name: str, **changes: object) -> Post:
    return make_post(desk, f"copy-{name}", f"Tỏi chữa covid bản {name}", **changes)
