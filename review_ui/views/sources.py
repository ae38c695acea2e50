"""Sources: whether each gives what it should, paused and asked for by leads."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import Response

from claimwatch.ledger import crawls, sources
from claimwatch.records import Role, Source
from review_ui.forms import PauseForm
from review_ui.pages import CrawlRow, Progress, ProgressPage, SourcePage, SourcesPage
from review_ui.sourcerows import crawl_rows, source_rows
from review_ui.visitor import Member, SendingLead, Visitor, go

router = APIRouter()
#: How far back a source's crawls are shown.
_SHOWN = timedelta(days=14)
#: After so long without a crawl that was asked for, no worker seems to be there.
_LATE = timedelta(seconds=90)


@router.get("/sources")
def listing(visitor: Member) -> Response:
    """Every source with its state; those with a notice first."""
    with visitor.desk.ledger.read() as db:
        known = sources.every(db)
    can_add = visitor.site.kinds is not None and visitor.may(Role.LEAD)
    rows = tuple(source_rows(visitor, known))
    return visitor.show(SourcesPage(rows=rows, can_add=can_add, now=visitor.desk.now()))


@router.get("/sources/{name}")
def one(visitor: Member, name: str, after: int | None = None) -> Response:
    """One source. `after`: the number of the newest run when its crawl was asked for."""
    desk = visitor.desk
    with desk.ledger.read() as db:
        source = sources.get(db, name)
        made = crawls.of_source(db, name, since=desk.now() - _SHOWN)
    row = source_rows(visitor, [source], width=560, height=96)[0]
    page = SourcePage(
        row=row,
        crawls=crawl_rows(visitor, made),
        settings=_settings(source) if visitor.may(Role.LEAD) else (),
        progress=None if after is None else _progress(visitor, name, after),
        can_edit=visitor.site.kinds is not None and visitor.may(Role.LEAD),
    )
    return visitor.show(page)


@router.get("/sources/{name}/progress")
def progress(visitor: Member, name: str, after: int, seen: str = "") -> Response:
    """What became of "try now"; nothing where that is what the page shows already."""
    found = _progress(visitor, name, after)
    if found.step == seen and found.step in {"waiting", "late", "running"}:
        return Response(status_code=204)
    return visitor.show(ProgressPage(progress=found))


@router.post("/sources/{name}/pause")
def pause(visitor: SendingLead, name: str, form: Annotated[PauseForm, Form()]) -> Response:
    """Pause a source or let it be crawled again."""
    with visitor.desk.ledger.write() as db:
        sources.enable(db, name, enabled=form.enabled)
    return go("/sources")


@router.post("/sources/{name}/try")
def try_now(visitor: SendingLead, name: str) -> Response:
    """Ask the worker for a crawl soon; one that is under way is shown in its place."""
    now = visitor.desk.now()
    with visitor.desk.ledger.write() as db:
        last = crawls.last_number(db)
        under_way = [run.id for run in crawls.of_source(db, name, since=now - _LATE) if run.status == "running"]
        if under_way:
            last = under_way[0] - 1
        else:
            sources.ask(db, name, now)
    return go(f"/sources/{name}?after={last}")


def _progress(visitor: Visitor, name: str, after: int) -> Progress:
    desk = visitor.desk
    with desk.ledger.read() as db:
        made = crawls.of_source(db, name, since=desk.now() - _SHOWN, after=after, limit=1)
        asked = sources.asked(db).get(name)
    crawl: CrawlRow | None = None
    step = "late" if asked and desk.now() - asked > _LATE else "waiting"
    if made:
        crawl = crawl_rows(visitor, made)[0]
        step = crawl.run.status
    return Progress(step=step, crawl=crawl, again=f"/sources/{name}/progress?after={after}&seen={step}")


def _settings(source: Source) -> tuple[tuple[str, str], ...]:
    """The settings as text; secrets are never among them."""
    pairs = ((key, ", ".join(map(str, one)) if isinstance(one, list) else one) for key, one in source.settings.items())
    return tuple((key, str(one)) for key, one in pairs)
