"""Thresholds: what another one would have done, for those who lead the team. Nothing is changed here."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import Response

from claimwatch.clock import local_day, week_before, week_of
from claimwatch.desk import Desk
from claimwatch.drift import Drift, drift_of
from claimwatch.records import Role
from claimwatch.tuning import ENOUGH, Curve, Tuning, tune
from review_ui.pages import TunePage
from review_ui.thresholds import chart_of
from review_ui.visitor import Member, Visitor

router = APIRouter()


def lead(visitor: Member) -> Visitor:
    """Somebody who leads the team."""
    if not visitor.may(Role.LEAD):
        raise HTTPException(403, "role")
    return visitor


@router.get("/tune")
def thresholds(visitor: Annotated[Visitor, Depends(lead)], language: str = "", at: float | None = None) -> Response:
    """Every threshold as a table and a picture, over all languages or for one."""
    tuning = tune(visitor.desk)
    curve = _curve(tuning, language)
    page = TunePage(
        tuning=tuning,
        curve=curve,
        chart=chart_of(curve.points, tuning.threshold) if curve else None,
        drifts=tuple(_drifts(visitor.desk)),
        at=at if at is not None and 0 <= at <= 1 else None,
        enough=ENOUGH,
    )
    return visitor.show(page)


def _curve(tuning: Tuning, language: str) -> Curve | None:
    found = [curve for curve in tuning.curves if curve.language == language] or list(tuning.curves)
    return found[0] if found else None


def _drifts(desk: Desk) -> list[tuple[str, Drift]]:
    """What has moved this week and last week."""
    week = week_of(local_day(desk.now(), desk.settings.zone))
    with desk.ledger.read() as db:
        return [
            (name, one)
            for name in (week, week_before(week))
            for one in drift_of(db, name, desk.settings.zone)
            if one.beyond
        ]
