"""Sources: whether each gives what it should."""

from collections import Counter
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import Response

from claimwatch.ledger import sources
from claimwatch.weekcounts import count_posts
from review_ui.charts import stacked
from review_ui.forms import PauseForm
from review_ui.pages import SourceRow, SourcesPage
from review_ui.views.claims import last_days
from review_ui.visitor import Member, SendingLead, go

router = APIRouter()


@router.get("/sources")
def listing(visitor: Member) -> Response:
    """Every source with its state; those that need attention first."""
    desk, days = visitor.desk, last_days(visitor.desk, 14)
    with desk.ledger.read() as db:
        known = sources.every(db)
    counted: Counter[tuple[str, date]] = Counter()
    for row in count_posts(desk, days):
        counted[row.source, row.day] += row.posts
    rows = tuple(
        SourceRow(
            source=source,
            chart=stacked(("posts",), [(day, [counted[source.name, day]]) for day in days], width=140, height=28),
            posts=sum(counted[source.name, day] for day in days[-7:]),
        )
        for source in sorted(known, key=lambda one: (not (one.enabled and one.attention), one.name))
    )
    return visitor.show(SourcesPage(rows=rows, now=desk.now()))


@router.post("/sources/{name}/pause")
def pause(visitor: SendingLead, name: str, form: Annotated[PauseForm, Form()]) -> Response:
    """Pause a source or let it be crawled again."""
    with visitor.desk.ledger.write() as db:
        sources.enable(db, name, enabled=form.enabled)
    return go("/sources")
