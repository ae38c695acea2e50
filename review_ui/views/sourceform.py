"""Adding a source and changing one: the form of its kind, a trial, and only then it is kept."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException
from fastapi.responses import Response

from claimwatch.errors import ConfigError
from claimwatch.ledger import sources
from claimwatch.records import Role, Source
from claimwatch.sourceforms import KindForm, filled, settings_of
from review_ui.forms import PauseForm, SourceForm
from review_ui.pages import KindsPage, SourceFormPage, TrialPage, TrialPartPage, TrialResult
from review_ui.sourcerows import in_words
from review_ui.trials import SourceKinds, Started
from review_ui.visitor import Lead, SendingLead, Visitor, go

router = APIRouter()
#: As sources.yml asks. Names never hold a tilde, so that none is taken for one of these pages.
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")
_LONGEST_PAUSE = 60 * 24 * 7
_LANGUAGES = ("", "vi", "en")


@router.get("/sources/~add")
def choose(visitor: Lead, kind: str = "", trial: str = "") -> Response:
    """The kinds there are; the form of one of them, filled as a trial had it."""
    if trial:
        started = _started(visitor, trial)
        return _form(visitor, started.source, is_new=started.is_new)
    if not kind:
        return visitor.show(KindsPage(kinds=_kinds(visitor).forms(visitor.language.code)))
    return _form(visitor, Source(name="", kind=kind, settings={}, language=visitor.language.code), is_new=True)


@router.get("/sources/{name}/edit")
def edit(visitor: Lead, name: str) -> Response:
    """The form of a source."""
    with visitor.desk.ledger.read() as db:
        source = sources.get(db, name)
    return _form(visitor, source, is_new=False)


@router.post("/sources/~add")
def add(visitor: SendingLead, form: Annotated[SourceForm, Form()]) -> Response:
    """Try a new source; its form again where something is wrong."""
    return _try(visitor, form, None)


@router.post("/sources/{name}/edit")
def change(visitor: SendingLead, name: str, form: Annotated[SourceForm, Form()]) -> Response:
    """Try a changed source; keep it at once where it asks what it asked before."""
    with visitor.desk.ledger.read() as db:
        known = sources.get(db, name)
    return _try(visitor, form.model_copy(update={"name": known.name, "kind": known.kind}), known)


@router.get("/sources/~trial/{trial}")
def tried(visitor: Lead, trial: str) -> Response:
    """What a trial gave."""
    started = _started(visitor, trial)
    return visitor.show(TrialPage(source=started.source, result=_result(visitor, started)))


@router.get("/sources/~trial/{trial}/result")
def result(visitor: Lead, trial: str) -> Response:
    """The part that waits for the trial's end; nothing while it goes on."""
    started = _started(visitor, trial)
    if not started.result.done():
        return Response(status_code=204)
    return visitor.show(TrialPartPage(result=_result(visitor, started)))


@router.post("/sources/~trial/{trial}/save")
def save(visitor: SendingLead, trial: str, form: Annotated[PauseForm, Form()]) -> Response:
    """Keep the source that was tried, crawled from now on or paused."""
    started = _started(visitor, trial)
    if not started.result.done():
        raise HTTPException(409, visitor.say("The trial is not over yet."))
    return _keep(visitor, replace(started.source, enabled=form.enabled), is_new=started.is_new)


def _try(visitor: Visitor, form: SourceForm, known: Source | None) -> Response:
    kind = _kind(visitor, form.kind)
    source, problems = _source(visitor, kind, form, known)
    if not problems:
        problems = dict(_kinds(visitor).faults(source, visitor.language.code))
    if problems:
        return _form(visitor, source, is_new=known is None, given=_as_given(form, kind), problems=problems)
    if known is not None and form.action == "save" and _asks_alike(kind, source, known):
        return _keep(visitor, source, is_new=False)
    kinds = _kinds(visitor)
    trial = visitor.site.trials.start(visitor.account.id, source, is_new=known is None, ask=kinds.try_out)
    if not trial:
        busy = {"": visitor.say("Other trials are under way: try again in a minute.")}
        return _form(visitor, source, is_new=known is None, given=_as_given(form, kind), problems=busy)
    return go(f"/sources/~trial/{trial}")


def _source(visitor: Visitor, kind: KindForm, form: SourceForm, known: Source | None) -> tuple[Source, dict[str, str]]:
    """The source that a form means, with what is wrong beside its settings."""
    problems: dict[str, str] = {}
    if known is None and not _NAME.fullmatch(form.name):
        problems["name"] = visitor.say("Up to 60 small letters without marks, digits, dots and dashes.")
    elif known is None and _is_taken(visitor, form.name):
        problems["name"] = visitor.say("This name is taken: choose another.")
    every = _number(form.every, least=1, most=_LONGEST_PAUSE)
    expected = _number(form.expected_per_week or "0", least=0, most=1_000_000)
    if every is None:
        problems["every"] = visitor.say("A whole number of minutes, from 1 to %(most)s.", most=_LONGEST_PAUSE)
    if expected is None:
        problems["expected_per_week"] = visitor.say("A whole number of posts, or 0 where you cannot say.")
    before = known or Source(name=form.name, kind=kind.name, settings={})
    meant = replace(
        before,
        settings=settings_of(kind, _allowed(visitor, kind, form.settings, before)),
        language=form.language if form.language in {*_LANGUAGES, before.language} else "",
        every=every or before.every,
        expected_per_week=expected or 0,
    )
    return meant, problems


def _allowed(visitor: Visitor, kind: KindForm, given: Mapping[str, str], before: Source) -> dict[str, str]:
    """The fields as filled; those that are for administrators as they were, whoever else sends them."""
    if visitor.may(Role.ADMIN):
        return dict(given)
    kept = filled(kind, before.settings)
    guarded = {one.name for one in kind.fields if one.guarded}
    return {name: said for name, said in given.items() if name not in guarded} | {name: kept[name] for name in guarded}


def _keep(visitor: Visitor, source: Source, *, is_new: bool) -> Response:
    """Keep a source; one that asks something else than before begins anew."""
    kind = _kind(visitor, source.kind)
    with visitor.desk.ledger.write() as db:
        known = {one.name: one for one in sources.every(db)}.get(source.name)
        if is_new and known is not None:
            raise HTTPException(409, visitor.say("This name is taken: choose another."))
        if known is not None and _asks_alike(kind, source, known):
            seen = known.last_success, known.last_try
            source = replace(source, attention=known.attention, last_success=seen[0], last_try=seen[1])
        else:
            sources.drop_cursors(db, source.name)
            source = replace(source, attention="", last_success=None, last_try=None)
        sources.put(db, source)
    return go(f"/sources/{source.name}")


def _asks_alike(kind: KindForm, one: Source, other: Source) -> bool:
    """Whether two sources mean the same question, whichever defaults they write out."""
    return one.kind == other.kind and filled(kind, one.settings) == filled(kind, other.settings)


def _form(
    visitor: Visitor,
    source: Source,
    *,
    is_new: bool,
    given: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None,
) -> Response:
    kind = _kind(visitor, source.kind)
    fields = tuple(one for one in kind.fields if visitor.may(Role.ADMIN) or not one.guarded)
    page = SourceFormPage(
        kind=kind,
        fields=fields,
        given=given or _as_kept(source, kind),
        problems=problems or {},
        is_new=is_new,
        languages=tuple(dict.fromkeys((*_LANGUAGES, source.language))),
    )
    return visitor.show(page, status=422 if problems else 200)


def _as_kept(source: Source, kind: KindForm) -> dict[str, str]:
    common = {
        "name": source.name,
        "language": source.language,
        "every": str(source.every),
        "expected_per_week": str(source.expected_per_week),
    }
    return common | {f"set.{name}": said for name, said in filled(kind, source.settings).items()}


def _as_given(form: SourceForm, kind: KindForm) -> dict[str, str]:
    common = {name: str(getattr(form, name)) for name in ("name", "language", "every", "expected_per_week")}
    return common | {f"set.{one.name}": form.settings.get(one.name, "") for one in kind.fields}


def _result(visitor: Visitor, started: Started) -> TrialResult:
    here = f"/sources/~trial/{started.id}"
    trial = started.result.result() if started.result.done() else None
    return TrialResult(
        trial=trial,
        failure=in_words(visitor, trial.failure) if trial else "",
        problems=tuple(in_words(visitor, one) for one in trial.problems) if trial else (),
        again=f"{here}/result",
        save=f"{here}/save",
        change=f"/sources/~add?trial={started.id}",
    )


def _started(visitor: Visitor, trial: str) -> Started:
    found = visitor.site.trials.get(trial, visitor.account.id)
    if found is None:
        raise HTTPException(404)
    return found


def _kinds(visitor: Visitor) -> SourceKinds:
    if visitor.site.kinds is None:
        raise HTTPException(404)
    return visitor.site.kinds


def _kind(visitor: Visitor, name: str) -> KindForm:
    for one in _kinds(visitor).forms(visitor.language.code):
        if one.name == name:
            return one
    raise HTTPException(404)


def _is_taken(visitor: Visitor, name: str) -> bool:
    with visitor.desk.ledger.read() as db:
        try:
            sources.get(db, name)
        except ConfigError:
            return False
    return True


def _number(said: str, *, least: int, most: int) -> int | None:
    return int(said) if said.isascii() and said.isdigit() and least <= int(said) <= most else None
