"""Published weekly reports."""

import json
from html import escape

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse, Response
from markupsafe import Markup

from claimwatch.ledger import reports
from claimwatch.ledger.reports import Published
from review_ui.pages import ReportPage, ReportsPage
from review_ui.visitor import Member, Site, Visitor

router = APIRouter()


@router.get("/reports")
def listing(visitor: Member) -> Response:
    """Every published week, the newest first."""
    with visitor.desk.ledger.read() as db:
        return visitor.show(ReportsPage(reports=tuple(reports.every(db))))


@router.get("/reports/{week}.json")
def data(visitor: Member, week: str) -> Response:
    """The published body with its hash, for a machine."""
    found = _published(visitor, week)
    content = {
        "week": found.week,
        "version": found.version,
        "hash": found.hash,
        "published_at": found.published_at.isoformat(),
        "body": dict(found.body),
    }
    name = f'attachment; filename="claimwatch-{found.week}-v{found.version}.json"'
    return JSONResponse(content, headers={"content-disposition": name})


@router.get("/reports/{week}")
def one(visitor: Member, week: str) -> Response:
    """The published report, to read."""
    found = _published(visitor, week)
    render = visitor.site.render_report
    shown = render(found, visitor.language.code) if render else _plain(visitor, found)
    # What the function gives is HTML already escaped: that is its promise.
    return visitor.show(ReportPage(report=found, body=Markup(shown)))  # noqa: S704


@router.get("/report.css")
def style(request: Request) -> Response:
    """The style of rendered reports."""
    site: Site = request.app.state.site
    return Response(site.report_css, media_type="text/css", headers={"cache-control": "max-age=86400"})


def _published(visitor: Visitor, week: str) -> Published:
    with visitor.desk.ledger.read() as db:
        found = reports.newest(db, week)
    if found is None:
        raise HTTPException(404)
    return found


def _plain(visitor: Visitor, published: Published) -> str:
    """The body as it was published, where nobody gave a way to render it."""
    text = json.dumps(published.body, ensure_ascii=False, indent=2, default=str)
    heading = visitor.say("Report of week %(week)s", week=published.week)
    return f"<h1>{escape(heading)}</h1><pre>{escape(text)}</pre>"
