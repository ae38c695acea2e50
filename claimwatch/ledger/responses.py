"""What the team does about a claim."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, update

from claimwatch.errors import ConfigError
from claimwatch.ledger.tables import responses
from claimwatch.records import Response

#: Kinds of response; a claim ends in an answer, never in a referral of people.
KINDS = ("correction_published", "health_team_informed", "partner_informed", "watching", "no_action")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A response as somebody enters it."""

    claim: str
    kind: str
    owner: int | None = None
    due: date | None = None
    link: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)


def add(db: Connection, plan: Plan, now: datetime, *, done: bool = False) -> Response:
    """Keep a response; `done` marks it as carried out now. ConfigError where its kind is unknown."""
    if plan.kind not in KINDS:
        raise ConfigError(f"{plan.kind!r} is no kind of response: use one of {', '.join(KINDS)}")
    values: dict[str, Any] = {name: getattr(plan, name) for name in ("claim", "kind", "owner", "due", "link")}
    values |= {"texts": dict(plan.texts), "created_at": now, "done_at": now if done else None}
    key = db.execute(insert(responses).values(**values)).inserted_primary_key
    assert key is not None
    return Response(id=key[0], **values)


def finish(db: Connection, response: int, now: datetime, *, link: str = "") -> None:
    """Mark a response as carried out; a link given now is kept."""
    values: dict[str, Any] = {"done_at": now} | ({"link": link} if link else {})
    open_one = (responses.c.id == response) & responses.c.done_at.is_(None)
    if not db.execute(update(responses).where(open_one).values(**values)).rowcount:
        raise ConfigError(f"response {response} is unknown or done already")


def of_claim(db: Connection, claim: str) -> list[Response]:
    """The claim's responses, oldest first."""
    query = select(responses).where(responses.c.claim == claim).order_by(responses.c.id)
    return [_response(row) for row in db.execute(query)]


def between(db: Connection, start: datetime, end: datetime) -> list[Response]:
    """Responses begun or carried out from `start` up to, not including, `end`."""
    begun = (responses.c.created_at >= start) & (responses.c.created_at < end)
    done = (responses.c.done_at >= start) & (responses.c.done_at < end)
    return [_response(row) for row in db.execute(select(responses).where(or_(begun, done)).order_by(responses.c.id))]


def unfinished(db: Connection) -> list[Response]:
    """Responses not carried out yet, by due date, those without one last, the older first."""
    order = (responses.c.due.is_(None), responses.c.due, responses.c.id)
    query = select(responses).where(responses.c.done_at.is_(None)).order_by(*order)
    return [_response(row) for row in db.execute(query)]


def _response(row: Row[Any]) -> Response:
    return Response(**row._mapping)
