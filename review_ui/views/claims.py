"""Claims: the list, one claim with its answer, and what is done about it."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException
from fastapi.responses import Response

from claimwatch.clock import local_day
from claimwatch.desk import Desk
from claimwatch.ledger import claims, responses, users
from claimwatch.ledger.responses import Plan
from claimwatch.posts.base import BATCH
from claimwatch.records import Claim, Evidence, Stance, Verdict
from claimwatch.weekcounts import count_posts
from review_ui.charts import Chart, stacked
from review_ui.forms import ClaimForm, MergeForm, ResponseForm, VerdictForm
from review_ui.pages import ClaimPage, ClaimRow, ClaimsPage, ResponseRow
from review_ui.visitor import Member, SendingLead, SendingModerator, Visitor, go
from review_ui.waiting import every_open
from review_ui.words import matching, web_link

router = APIRouter()


@router.get("/claims")
def listing(visitor: Member, words: str = "") -> Response:
    """Every active claim, those with most posts this week first."""
    desk = visitor.desk
    with desk.ledger.read() as db:
        active, moved = claims.every(db, "active"), claims.redirects(db)
    waiting = Counter(moved.get(card.claim, card.claim) for card in every_open(desk) if card.claim)
    posts = Counter[str]()
    for row in count_posts(desk, last_days(desk, 7)):
        posts[row.claim] += row.posts
    found = sorted(matching(active, words), key=lambda claim: (-posts[claim.id], -waiting[claim.id], claim.id))
    rows = tuple(ClaimRow(claim=claim, open_cards=waiting[claim.id], posts=posts[claim.id]) for claim in found)
    return visitor.show(ClaimsPage(rows=rows, total=len(active), words=words))


@router.get("/claims/{claim}")
def one(visitor: Member, claim: str) -> Response:
    """One claim; a merged one leads to the claim it became."""
    found = _claim(visitor, claim)
    return go(f"/claims/{found.id}") if found.id != claim else visitor.show(_page(visitor, found))


@router.post("/claims/{claim}/edit")
def edit(visitor: SendingModerator, claim: str, form: Annotated[ClaimForm, Form()]) -> Response:
    """Change the statement, the harm and the answer."""
    statement = _spoken(vi=form.statement_vi, en=form.statement_en)
    if not statement:
        raise HTTPException(422, visitor.say("A claim needs a statement in at least one language."))
    kept = _claim(visitor, claim)
    changes = {
        "statement": _others(kept.statement) | statement,
        "correction": _others(kept.correction) | _spoken(vi=form.correction_vi, en=form.correction_en),
        "harm": form.harm,
        "evidence": _evidence(visitor, form.evidence),
    }
    if kept.verdict is not None and not changes["correction"]:
        raise HTTPException(422, visitor.say("A claim with a verdict needs its correction: say why."))
    return _change(visitor, kept, form.version, changes)


@router.post("/claims/{claim}/verdict")
def judge(visitor: SendingLead, claim: str, form: Annotated[VerdictForm, Form()]) -> Response:
    """Give a verdict. The correction must already say why."""
    kept = _claim(visitor, claim)
    if form.verdict is not None and not any(kept.correction.values()):
        raise HTTPException(422, visitor.say("Write the correction first: a verdict must say why."))
    return _change(visitor, kept, form.version, {"verdict": form.verdict})


@router.post("/claims/{claim}/merge")
def merge(visitor: SendingLead, claim: str, form: Annotated[MergeForm, Form()]) -> Response:
    """Make a claim lead to another that says the same."""
    with visitor.desk.ledger.write() as db:
        claims.merge(db, claim, form.into, visitor.desk.now())
    return go(f"/claims/{form.into}")


@router.post("/claims/{claim}/responses")
def respond(visitor: SendingModerator, claim: str, form: Annotated[ResponseForm, Form()]) -> Response:
    """Note what the team does, or did, about a claim."""
    kept = _claim(visitor, claim)
    if form.link and web_link(form.link) is None:
        raise HTTPException(422, visitor.say("A link begins with https:// or http://."))
    with visitor.desk.ledger.write() as db:
        if form.owner is not None and users.get(db, form.owner) is None:
            raise HTTPException(422, visitor.say("This account does not exist: choose another owner."))
        plan = Plan(claim=kept.id, kind=form.kind, owner=form.owner, due=form.due, link=form.link)
        responses.add(db, plan, visitor.desk.now(), done=form.done)
    return go(f"/claims/{kept.id}#responses")


@router.post("/claims/{claim}/responses/{response}/done")
def finish(visitor: SendingModerator, claim: str, response: int) -> Response:
    """Mark a response as carried out."""
    with visitor.desk.ledger.write() as db:
        if response not in {one.id for one in responses.of_claim(db, claim)}:
            raise HTTPException(404)
        responses.finish(db, response, visitor.desk.now())
    return go(f"/claims/{claim}#responses")


def last_days(desk: Desk, count: int) -> list[date]:
    """The last so many local days, today last."""
    today = local_day(desk.now(), desk.settings.zone)
    return [today - timedelta(days=back) for back in reversed(range(count))]


def _page(visitor: Visitor, claim: Claim) -> ClaimPage:
    desk = visitor.desk
    with desk.ledger.read() as db:
        done = responses.of_claim(db, claim.id)
        accounts = users.every(db)
        others = [other for other in claims.every(db, "active") if other.id != claim.id]
    names = {user.id: user.name for user in accounts}
    today = local_day(desk.now(), desk.settings.zone)
    rows = tuple(
        ResponseRow(
            response=one,
            owner=names.get(one.owner, "") if one.owner else "",
            late=one.done_at is None and one.due is not None and one.due < today,
        )
        for one in done
    )
    return ClaimPage(
        claim=claim,
        chart=_chart(desk, claim.id),
        open_cards=len(desk.posts.cards(claim=claim.id, limit=BATCH)),
        responses=rows,
        owners=tuple(user for user in accounts if not user.disabled),
        others=tuple(others),
        kinds=responses.KINDS,
        verdicts=tuple(Verdict),
    )


def _chart(desk: Desk, claim: str) -> Chart:
    """Four weeks of posts: those that repeat the claim, those that refute it, the rest."""
    days = last_days(desk, 28)
    kinds = (Stance.REPEATS.value, Stance.REFUTES.value, Stance.OTHER.value)
    counted: dict[date, Counter[str]] = {day: Counter() for day in days}
    for row in count_posts(desk, days):
        if row.claim == claim:
            counted[row.day][row.stance if row.stance in kinds else Stance.OTHER.value] += row.posts
    series = [(day, [counted[day][kind] for kind in kinds]) for day in days]
    return stacked(kinds, series, width=560, height=96)


def _claim(visitor: Visitor, claim: str) -> Claim:
    with visitor.desk.ledger.read() as db:
        found = claims.get(db, claim)
    if found is None:
        raise HTTPException(404)
    return found


def _change(visitor: Visitor, claim: Claim, version: int, changes: Mapping[str, Any]) -> Response:
    """Edit the claim, unless somebody else did since the form was shown."""
    with visitor.desk.ledger.write() as db:
        present = claims.get(db, claim.id)
        if present is None or present.version != version:
            raise HTTPException(409, visitor.say("Somebody changed this claim meanwhile: open it again."))
        claims.edit(db, claim.id, changes, visitor.desk.now())
    return go(f"/claims/{claim.id}")


def _spoken(**texts: str) -> dict[str, str]:
    return {language: text for language, text in texts.items() if text}


def _others(texts: Mapping[str, str]) -> dict[str, str]:
    """The texts in languages that the form does not show."""
    return {language: text for language, text in texts.items() if language not in {"vi", "en"}}


def _evidence(visitor: Visitor, lines: str) -> tuple[Evidence, ...]:
    found = []
    for line in filter(None, (line.strip() for line in lines.splitlines())):
        publisher, title, link = ([part.strip() for part in line.split("|")] + ["", "", ""])[:3]
        if not publisher or not title or (link and web_link(link) is None):
            message = visitor.say("Evidence is one per line: publisher | title | https://link")
            raise HTTPException(422, message)
        found.append(Evidence(publisher=publisher, title=title, link=link))
    return tuple(found)
