"""Pages for what goes wrong: plain words, never a traceback."""

from http import HTTPStatus
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from claimwatch.errors import ConfigError, StoreError
from claimwatch.ledger.decisions import StaleDecision
from review_ui.guard import HEADERS
from review_ui.labels import N_
from review_ui.outage import answer_outage
from review_ui.pages import ErrorPage
from review_ui.views.cards import stale
from review_ui.visitor import SignInNeededError, Visitor, anyone, go, inside, stranger

_HEADINGS = {
    403: N_("You may not do this"),
    404: N_("There is nothing here"),
    405: N_("There is nothing here"),
    409: N_("Somebody was faster"),
    422: N_("This cannot be taken as it is"),
    500: N_("Something broke here"),
}
_EXPLANATIONS = {
    403: N_("Your role does not include it. Ask an administrator of this desk."),
    404: N_("The page does not exist, or what it showed is no longer kept."),
    405: N_("The page does not exist, or what it showed is no longer kept."),
    409: N_("Somebody changed this meanwhile: open it again."),
    422: N_("A field is missing or holds something unexpected. Go back and look at the form again."),
    500: N_("Nothing that you sent was half done. Try again; the log of the desk says what happened."),
}
_OLD_FORM = N_("The form is too old, or did not come from this site. Go back, reload the page and send it again.")


def answer_faults(app: FastAPI) -> None:
    """Give every fault its page."""
    app.add_exception_handler(SignInNeededError, _sign_in)
    app.add_exception_handler(StaleDecision, _stale)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(ConfigError, _refused_by_core)
    app.add_exception_handler(StoreError, _store)
    app.add_exception_handler(Exception, _broken)


def _sign_in(request: Request, _: Exception) -> Response:
    path = inside(request.url.path + (f"?{request.url.query}" if request.url.query else ""))
    there = "/sign-in" if request.method != "GET" or path == "/" else f"/sign-in?next={quote(path, safe='')}"
    response = go(there)
    if "hx-request" in request.headers:
        # A part of a page cannot show the sign-in form: htmx goes there as a whole.
        response = Response(status_code=204, headers={"hx-redirect": "/sign-in"})
    return response


def _stale(request: Request, _: Exception) -> Response:
    return stale(request, anyone(request))


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    visitor, detail = _visitor(request), error.detail
    if error.status_code == 403:
        detail = visitor.say(_OLD_FORM) if detail == "form" else ""
    given = detail if error.status_code != 404 and detail != _phrase(error.status_code) else ""
    return _page(visitor, error.status_code, given)


def _invalid(request: Request, _: Exception) -> Response:
    return _page(_visitor(request), 422)


def _refused_by_core(request: Request, error: Exception) -> Response:
    assert isinstance(error, ConfigError)
    if str(error).startswith(request.app.state.site.desk.ledger.place):
        return answer_outage(request, error)  # a password or a right that was changed under us
    return _page(_visitor(request), 422, str(error))


def _store(request: Request, error: Exception) -> Response:
    assert isinstance(error, StoreError)
    return answer_outage(request, error)


def _broken(request: Request, _: Exception) -> Response:
    response = _page(stranger(request), 500)
    # This answer is made outside of the guard.
    response.headers.update(HEADERS)
    return response


def _visitor(request: Request) -> Visitor:
    try:
        return anyone(request)
    except StoreError:
        return stranger(request)


def _page(visitor: Visitor, status: int, detail: str = "") -> Response:
    heading = _HEADINGS.get(status, _phrase(status))
    explanation = detail or visitor.say(_EXPLANATIONS.get(status, ""))
    return visitor.show(ErrorPage(status=status, heading=visitor.say(heading), explanation=explanation), status=status)


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase
