"""The thresholds page: who may see it, what it shows, and that it changes nothing."""

from fastapi.testclient import TestClient
from review_desk import GARLIC, signed_in

from claimwatch.desk import Desk
from claimwatch.ledger import audits, decisions, scores, users
from claimwatch.ledger.audits import Audit
from claimwatch.ledger.decisions import Judgement
from claimwatch.ledger.scores import Scored
from claimwatch.records import Action, Role
from claimwatch.text.fold import text_hash
from claimwatch.tuning import ENOUGH
from review_ui.app import create_app

MODEL = "weights-12345678"


def decide_many(desk: Desk, many: int) -> None:
    """So many decisions on flagged cards, three of four agreeing, and one on a card drawn by lot."""
    with desk.ledger.write() as db:
        user = users.by_name(db, "lead")
        assert user
        for n in range(many + 1):
            drawn = n == many
            if drawn:
                audits.note(db, Audit(card=f"card-{n}", share=0.5, hinges=True, language="vi", at=desk.now()))
            judged = Judgement(
                card=f"card-{n}", seen=0, action=Action.ASKS if drawn or n % 4 == 0 else Action.REPEATS, user=user.id,
                post=f"post-{n}", text_hash=text_hash(f"text {n}"), text=f"text {n}", language="vi", model=MODEL,
                p_false=0.2 if drawn else 0.8, flag=not drawn, claim=GARLIC.id,
            )  # fmt: skip
            decisions.add(db, judged, desk.now())
        audits.note(db, Audit(card="card-waits", share=0.5, hinges=True, language="vi", at=desk.now()))


def count(desk: Desk, week: str, many: int, p_false: float) -> None:
    with desk.ledger.write() as db:
        scores.add(db, week, MODEL, 0.5, [Scored(language="vi", p_false=p_false, hinges=True)] * many)


def test_strangers_sign_in_first_and_moderators_are_refused(desk: Desk) -> None:
    moderator = signed_in(desk, Role.MODERATOR)
    assert moderator.get("/tune").status == 403
    assert 'href="/tune"' not in moderator.get("/queue").html
    stranger = TestClient(create_app(desk), raise_server_exceptions=False)
    assert stranger.get("/tune").url.path == "/sign-in"


def test_before_any_decision_the_page_says_so(desk: Desk) -> None:
    page = signed_in(desk, Role.LEAD).get("/tune")
    assert page.status == 200
    assert "Nothing is decided yet" in page.text


def test_a_lead_sees_every_threshold_with_its_intervals(desk: Desk) -> None:
    browser = signed_in(desk, Role.LEAD)
    decide_many(desk, 60)
    count(desk, "2026-W46", 30, 0.8)
    page = browser.get("/tune")
    assert page.status == 200
    assert "posts are flagged from 0.50" in page.text
    assert "By 60 decisions on flagged cards, 1 on a card drawn by lot" in page.text
    assert "0.50 present 75% 63% to 84%" in page.text
    assert "0.80 75% 63% to 84%" in page.text
    assert page.html.count("<polyline") == 2
    assert 'href="/cards/card-waits"' in page.html
    assert 'style="' not in page.html


def test_few_decisions_are_called_few(desk: Desk) -> None:
    browser = signed_in(desk, Role.LEAD)
    decide_many(desk, ENOUGH - 2)
    assert f"Only {ENOUGH - 1} decisions so far" in browser.get("/tune").text
    assert "Only" not in browser.get("/queue").text


def test_a_chosen_threshold_becomes_the_line_to_write(desk: Desk) -> None:
    browser = signed_in(desk, Role.LEAD)
    decide_many(desk, 8)
    assert "threshold: 0.45" not in browser.get("/tune").text
    assert "classify: threshold: 0.45" in browser.get("/tune?at=0.45&language=vi").text
    assert "threshold: 7" not in browser.get("/tune?at=7").text
    assert browser.get("/tune?at=high").status == 422


def test_scores_that_moved_are_told_in_both_languages(desk: Desk) -> None:
    browser = signed_in(desk, Role.LEAD)
    decide_many(desk, 8)
    for week in ("2026-W44", "2026-W45"):
        count(desk, week, 200, 0.1)
        count(desk, week, 20, 0.9)
    count(desk, "2026-W46", 200, 0.9)
    assert "In week 2026-W46 the scores of Vietnamese texts are spread otherwise" in browser.get("/tune").text
    with desk.ledger.write() as db:
        user = users.by_name(db, "lead")
        assert user
        users.set_language(db, user.id, "vi")
    assert "Trong tuần 2026-W46, điểm của các bài Tiếng Việt phân bố khác" in browser.get("/tune").text
