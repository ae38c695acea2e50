"""The review pages as one ASGI application; everything it needs is handed in."""

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from claimwatch.desk import Desk
from claimwatch.pulse import Pulse, registry_of
from review_ui.faults import answer_faults
from review_ui.guard import Guard
from review_ui.patience import Patience
from review_ui.session import Sessions, Throttle
from review_ui.templates import STATIC, Templates
from review_ui.timing import Timing
from review_ui.trials import SourceKinds, Trials
from review_ui.views import (
    account,
    cards,
    check,
    claims,
    health,
    queue,
    reports,
    search,
    sourceform,
    sources,
    tune,
    users,
)
from review_ui.visitor import RenderReport, Score, Site
from review_ui.watch import Watch

_VIEWS = (account, cards, check, claims, health, queue, reports, search, sourceform, sources, tune, users)


def create_app(
    desk: Desk,
    *,
    score: Score | None = None,
    kinds: SourceKinds | None = None,
    render_report: RenderReport | None = None,
    report_css: str = "",
) -> FastAPI:
    """The pages of one desk.

    `score` judges a pasted text (text, language of the page); without it there is no check page. `kinds` knows
    the kinds of source; without it sources are neither added nor changed here. `render_report` turns a published
    report into escaped HTML in a language, in the style of `report_css`; without it the published numbers are shown
    as they are.
    """
    app = FastAPI(title="claimwatch", docs_url=None, redoc_url=None, openapi_url=None)
    pulse = Pulse(desk)
    app.state.site = Site(
        desk=desk,
        sessions=Sessions(desk.keys.session, desk.settings.web.session_hours),
        throttle=Throttle(),
        templates=Templates(desk.settings.zone),
        score=score,
        render_report=render_report,
        report_css=report_css,
        kinds=kinds,
        trials=Trials(),
        watch=Watch(desk),
        pulse=pulse,
        figures=registry_of(pulse),
    )
    for view in _VIEWS:
        app.include_router(view.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    answer_faults(app)
    app.add_middleware(Patience)
    app.add_middleware(Guard)
    app.add_middleware(Timing)
    return app
