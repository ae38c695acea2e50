"""The queue as one account sees it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from conftest import at
from review_desk import PASSWORD, Browser, add_card, add_user, card_of, fill, make_post, signed_in

from claimwatch.desk import Desk
from claimwatch.ledger import decisions, users
from claimwatch.ledger.decisions import Judgement
from claimwatch.records import Action, Role
from review_ui.waiting import overview, queue_of


def test_the_front_page_is_the_queue(desk: Desk) -> None:
    assert signed_in(desk).get("/").path == "/queue"


def test_cards_stand_by_priority_with_what_a_decision_needs(desk: Desk) -> None:
    add_card(desk, "low", "Nước chanh chữa covid", priority=4, claim=None)
    add_card(desk, "high", "Tỏi chữa covid <b>ngay</b>", priority=31.25)
    page = signed_in(desk).get("/queue")
    assert page.text.index("Tỏi chữa covid") < page.text.index("Nước chanh")
    assert "<b>ngay</b>" in page.text
    assert "<b>ngay</b>" not in page.html
    assert "Raw garlic cures COVID-19. false" in page.text
    assert "No known claim is near." in page.text
    assert "1 post · 1 account · engagement 7 · Vietnamese · waits for 2 hours" in page.text
    assert "Priority 31.2 = harm 2 × reach 15.6 × growth 1.00 × likely false 1.00" in page.text
    assert "2 open cards · decided this week 0 of 2 · oldest waiting 2 hours" in page.text


def test_an_empty_queue_says_so(desk: Desk) -> None:
    assert "Nothing waits for a decision." in signed_in(desk).get("/queue").text


def test_the_queue_can_be_read_in_one_language(desk: Desk) -> None:
    add_card(desk, "1", "Tỏi chữa covid")
    card_of(desk, make_post(desk, "2", "Garlic cures covid", language="en"))
    browser = signed_in(desk)
    page = browser.get("/queue?language=en")
    assert "Garlic cures covid" in page.text
    assert "Tỏi chữa covid" not in page.text
    assert "English 1 Vietnamese 1" in page.text
    assert "/cards/mastodon:2?language=en" in page.html


def test_pages_follow_each_other_without_a_gap_where_priorities_are_equal(desk: Desk) -> None:
    for n in range(60):
        add_card(desk, f"{n:02}", f"Bài số {n:02} nói tỏi chữa covid", priority=1 / 3)
    browser = signed_in(desk)
    page, shown = browser.get("/queue"), []
    for _ in range(3):
        shown += [word for word in page.text.split() if word.isdigit() and len(word) == 2 and word != "60"]
        link = page.html.partition('<nav class="pager"')[2].rpartition('href="')[2].partition('"')[0]
        page = browser.get(link.replace("&amp;", "&"))
    assert [number for number in shown if shown.count(number) > 1] == []
    assert sorted(shown) == [f"{n:02}" for n in range(60)]


def test_a_card_decided_in_the_ledger_is_gone_though_the_posts_store_lags(desk: Desk) -> None:
    add_card(desk, "1", "Tỏi chữa covid")
    browser = signed_in(desk)
    decide_in_the_ledger_alone(desk, "mastodon:1")
    page = browser.get("/queue")
    assert "Tỏi chữa covid" not in page.text
    assert "0 open cards · decided this week 1 of 1" in page.text


def test_a_skipped_card_goes_behind_for_this_account_alone(desk: Desk) -> None:
    add_card(desk, "1", "Tỏi chữa covid", priority=9)
    add_card(desk, "2", "Nước muối diệt virus", priority=5)
    browser = signed_in(desk)
    page = browser.decide("mastodon:1", "skip")
    assert page.path.startswith("/cards/mastodon:2")
    assert "Skipped. The card waits at the end of your queue." in page.text
    queue = browser.get("/queue").text
    assert queue.index("Nước muối") < queue.index("Skipped by you") < queue.index("Tỏi chữa")
    assert "2 open cards" in queue
    add_user(desk, "other", Role.MODERATOR)
    other = Browser(desk)
    assert "Skipped by you" not in other.sign_in("other").text


def test_a_skip_counts_for_the_session_it_was_made_in(desk: Desk) -> None:
    add_card(desk, "1", "Tỏi chữa covid")
    browser = signed_in(desk)
    browser.decide("mastodon:1", "skip")
    again = Browser(desk)
    assert "Skipped by you" not in again.sign_in("moderator").text


def test_when_nothing_else_is_left_the_skipped_card_comes_back(desk: Desk) -> None:
    add_card(desk, "1", "Tỏi chữa covid", priority=9)
    add_card(desk, "2", "Nước muối diệt virus", priority=5)
    browser = signed_in(desk)
    browser.decide("mastodon:1", "skip")
    assert browser.decide("mastodon:2", "asks").path.startswith("/cards/mastodon:1")
    assert browser.decide("mastodon:1", "asks").path.startswith("/queue?decided=")


def test_neighbours_keep_the_order_and_the_language(desk: Desk) -> None:
    cards = [add_card(desk, str(n), f"Bài {n}", priority=9 - n) for n in range(4)]
    user = fill(desk)
    queue = queue_of(desk, user.id, 0)
    assert [card.id if card else None for card in map(queue.preceding, cards)] == [None, *[c.id for c in cards[:3]]]
    following = [queue.following(card) for card in cards]
    assert [card.id for card in following if card] == [*[c.id for c in cards[1:]], cards[0].id]
    assert replace(queue, language="en").following(cards[0]) is None


def test_this_week_begins_on_monday_in_the_desks_timezone(desk: Desk) -> None:
    """The desk's clock stands on Monday 16 November, 09:00 in Ho Chi Minh City."""
    fill(desk)
    for n, hours in enumerate([8, 10]):
        add_card(desk, str(n), f"Bài {n} nói tỏi chữa covid")
        decide_in_the_ledger_alone(at(desk, desk.now() - timedelta(hours=hours)), f"mastodon:{n}")
    assert overview(desk).decided == 1


@pytest.mark.parametrize("priority", ["nan", "inf", "-inf", "1e400"])
def test_a_place_nobody_can_stand_at_shows_a_page(desk: Desk, priority: str) -> None:
    add_card(desk, "1", "Tỏi chữa covid")
    assert signed_in(desk).get(f"/queue?priority={priority}&after=x").status in {200, 422}


def test_the_queue_comes_in_the_language_of_the_account(desk: Desk) -> None:
    add_card(desk, "1", "Tỏi chữa covid")
    fill(desk, language="vi")
    browser = Browser(desk)
    page = browser.sign_in("moderator", PASSWORD)
    assert '<html lang="vi">' in page.html
    assert "1 thẻ đang chờ · tuần này đã quyết định 0 trên 1 · thẻ chờ lâu nhất 2 giờ" in page.text
    page = browser.post("/language", language="en", back="/queue")
    assert '<html lang="en">' in page.html
    with desk.ledger.read() as db:
        user = users.by_name(db, "moderator")
    assert user
    assert user.language == "en"


def decide_in_the_ledger_alone(desk: Desk, card: str) -> None:
    """As when the posts store is down just after the commit."""
    post = desk.posts.get([card])[card]
    with desk.ledger.write() as db:
        user = users.by_name(db, "moderator")
        assert user
        judgement = Judgement(
            card=card,
            seen=0,
            action=Action.ASKS,
            user=user.id,
            post=post.id,
            text_hash=post.text_hash,
            text=post.text,
            language="vi",
            model="m1",
            p_false=0.9,
            flag=True,
        )
        decisions.add(db, judgement, desk.now())
