"""Claims: the list, the answer, the verdict that only people give, and what is done about them."""

from datetime import date, timedelta

import pytest
from review_desk import Browser, Page, add_card, signed_in

from claimwatch.desk import Desk
from claimwatch.ledger import claims, responses, users
from claimwatch.records import Claim, Response, Role, Verdict


def kept(desk: Desk, claim: str = "garlic-cure") -> Claim:
    with desk.ledger.read() as db:
        found = claims.get(db, claim)
    assert found
    return found


def done(desk: Desk) -> list[Response]:
    with desk.ledger.read() as db:
        return responses.of_claim(db, "garlic-cure")


def edit(browser: Browser, **changes: object) -> Page:
    page = browser.get("/claims/garlic-cure")
    fields = {
        "version": page.field("version"),
        "statement_vi": "Tỏi chữa COVID-19.",
        "statement_en": "Garlic cures COVID-19.",
        "correction_vi": "Không.",
        "correction_en": "It does not.",
        "harm": 3,
        "evidence": "WHO | Mythbusters | https://who.example/myths\n\nBộ Y tế | Hỏi đáp",
    }
    return browser.post("/claims/garlic-cure/edit", **(fields | changes))


def test_the_list_counts_open_cards_and_the_posts_of_the_week(desk: Desk) -> None:
    add_card(desk, "1", "Tỏi chữa covid")
    add_card(desk, "2", "Tỏi chữa được covid đấy")
    page = signed_in(desk).get("/claims")
    assert "2 of 2 claims" in page.text
    assert "Raw garlic cures COVID-19. false 2, delays care 2 2 Steam kills" in page.text


def test_the_list_is_narrowed_by_words(desk: Desk) -> None:
    page = signed_in(desk).get("/claims?words=TOI+song")
    assert "1 of 2 claims" in page.text
    assert "Steam" not in page.text


def test_a_claim_shows_its_posts_by_day_as_a_picture_and_as_a_table(desk: Desk) -> None:
    add_card(desk, "1", "Tỏi chữa covid")
    page = signed_in(desk).get("/claims/garlic-cure")
    assert 'aria-label="1 posts in 28 days, at most 1 a day"' in page.html
    assert '<rect class="bar-repeats"' in page.html
    assert "16 Nov 2026 1 0 0" in page.text
    assert "1 open card" in page.text


def test_a_moderator_changes_statement_harm_correction_and_evidence(desk: Desk) -> None:
    browser = signed_in(desk)
    assert edit(browser).status == 200
    claim = kept(desk)
    assert (claim.statement["en"], claim.correction["vi"], claim.harm) == ("Garlic cures COVID-19.", "Không.", 3)
    assert [(one.publisher, one.title, one.link) for one in claim.evidence] == [
        ("WHO", "Mythbusters", "https://who.example/myths"),
        ("Bộ Y tế", "Hỏi đáp", ""),
    ]
    assert (claim.edited, claim.version, claim.verdict) == (True, 2, Verdict.FALSE)


@pytest.mark.parametrize(
    "changes",
    [
        {"statement_vi": "", "statement_en": " "},
        {"correction_vi": "", "correction_en": ""},
        {"harm": 5},
        {"harm": "many"},
        {"evidence": "only a publisher"},
        {"evidence": "WHO | Mythbusters | javascript:alert(1)"},
        {"correction_en": "x" * 4001},
    ],
)
def test_an_edit_that_leaves_half_an_answer_is_refused_whole(desk: Desk, changes: dict[str, object]) -> None:
    browser = signed_in(desk)
    assert edit(browser, **changes).status == 422
    assert kept(desk).version == 1


def test_the_later_of_two_editors_is_told(desk: Desk) -> None:
    browser = signed_in(desk)
    assert edit(browser).status == 200
    page = edit(browser, version=1, correction_en="Mine.")
    assert page.status == 409
    assert "Somebody changed this claim meanwhile" in page.text
    assert kept(desk).correction["en"] == "It does not."


def give(browser: Browser, claim: str, verdict: str) -> Page:
    version = browser.get(f"/claims/{claim}").field("version")
    return browser.post(f"/claims/{claim}/verdict", verdict=verdict, version=version)


def test_a_lead_gives_a_verdict_and_takes_it_back(desk: Desk) -> None:
    browser = signed_in(desk, Role.LEAD)
    assert give(browser, "garlic-cure", "misleading").status == 200
    assert kept(desk).verdict is Verdict.MISLEADING
    assert give(browser, "garlic-cure", "").status == 200
    assert kept(desk).verdict is None


def test_a_verdict_without_a_reason_is_refused(desk: Desk) -> None:
    browser = signed_in(desk, Role.LEAD)
    page = give(browser, "steam-kills", "false")
    assert page.status == 422
    assert "a verdict must say why" in page.text
    assert kept(desk, "steam-kills").verdict is None


def test_a_verdict_the_desk_does_not_know_is_refused(desk: Desk) -> None:
    assert give(signed_in(desk, Role.LEAD), "garlic-cure", "evil").status == 422


def test_a_merged_claim_leads_to_the_one_it_became(desk: Desk) -> None:
    browser = signed_in(desk, Role.LEAD)
    browser.get("/claims/steam-kills")
    assert browser.post("/claims/steam-kills/merge", into="garlic-cure").path == "/claims/garlic-cure"
    assert browser.get("/claims/steam-kills").path == "/claims/garlic-cure"
    assert "1 of 1 claims" in browser.get("/claims").text


@pytest.mark.parametrize("into", ["garlic-cure", "no-such-claim"])
def test_a_claim_is_merged_only_into_another_that_exists(desk: Desk, into: str) -> None:
    browser = signed_in(desk, Role.LEAD)
    browser.get("/claims/garlic-cure")
    page = browser.post("/claims/garlic-cure/merge", into=into)
    assert page.status == 422
    assert "name another existing claim" in page.text


def test_a_response_is_planned_then_done(desk: Desk) -> None:
    browser = signed_in(desk)
    with desk.ledger.read() as db:
        user = users.by_name(db, "moderator")
    assert user
    browser.get("/claims/garlic-cure")
    page = browser.post(
        "/claims/garlic-cure/responses",
        kind="health_team_informed",
        owner=user.id,
        due="2026-11-10",
        link="https://who.example/x",
    )
    assert "health team informed · moderator · due 10 Nov 2026 · link" in page.text
    assert 'class="late"' in page.html
    [planned] = done(desk)
    assert (planned.owner, planned.due, planned.done_at) == (user.id, date(2026, 11, 10), None)
    page = browser.post(f"/claims/garlic-cure/responses/{planned.id}/done")
    assert "done 16 Nov 2026 09:00" in page.text
    assert browser.post(f"/claims/garlic-cure/responses/{planned.id}/done").status == 422
    assert browser.post(f"/claims/steam-kills/responses/{planned.id}/done").status == 404


def test_a_response_with_nothing_but_its_kind_is_enough(desk: Desk) -> None:
    browser = signed_in(desk)
    browser.get("/claims/garlic-cure")
    assert browser.post("/claims/garlic-cure/responses", kind="watching", owner="", due="", done="true").status == 200
    [one] = done(desk)
    assert (one.owner, one.due, one.link, one.done_at) == (None, None, "", desk.now())


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "police"},
        {"kind": "watching", "owner": 99},
        {"kind": "watching", "due": "soon"},
        {"kind": "watching", "link": "javascript:alert(1)"},
        {},
    ],
)
def test_a_response_the_team_does_not_give_is_refused(desk: Desk, fields: dict[str, object]) -> None:
    browser = signed_in(desk)
    browser.get("/claims/garlic-cure")
    assert browser.post("/claims/garlic-cure/responses", **fields).status == 422
    assert done(desk) == []


def test_a_claim_nobody_knows_is_not_found(desk: Desk) -> None:
    browser = signed_in(desk)
    assert browser.get("/claims/no-such-claim").status == 404
    browser.get("/claims/garlic-cure")
    assert browser.post("/claims/no-such-claim/responses", kind="watching").status == 404


def test_a_statement_in_one_language_is_shown_and_marked_in_the_other(desk: Desk) -> None:
    with desk.ledger.write() as db:
        claims.add(db, Claim(id="only-vi", statement={"vi": "Lá trầu chữa sốt."}), desk.now() - timedelta(days=1))
    page = signed_in(desk).get("/claims/only-vi")
    assert '<h1 lang="vi">Lá trầu chữa sốt.</h1>' in page.html
    assert "No correction is written yet." in page.text
