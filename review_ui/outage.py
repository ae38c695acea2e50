"""What is answered while a store is down: a page, a note for a part of a page, or JSON, as it was asked for."""

import logging

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from markupsafe import Markup

from claimwatch.errors import ClaimwatchError
from claimwatch.pulse import LEDGER, POSTS, advice_of, store_of
from review_ui.labels import N_
from review_ui.pages import StorePage
from review_ui.visitor import Site, Visitor, anyone, has_signed_in, stranger

_log = logging.getLogger(__name__)
#: Seconds after which it is worth asking again: a server that was started anew answers in about half a minute, one
#: that was only busy at once.
AGAIN = 10
_EITHER = ""
_HEADINGS = {
    LEDGER: N_("The ledger does not answer"),
    POSTS: N_("The store of posts does not answer"),
    _EITHER: N_("This page takes too long"),
}
_EXPLANATIONS = {
    LEDGER: N_(
        "Sign-in, decisions, claims and reports live there. Every decision that was acknowledged is kept; nothing that "
        "you just sent was half done."
    ),
    POSTS: N_(
        "The queue, the cards and the search live there. Every decision that was acknowledged is kept in the ledger "
        "and reaches the posts by itself once they are back."
    ),
    _EITHER: N_("Both stores answer, but slowly: many may be at work at once."),
}


def answer_outage(request: Request, error: ClaimwatchError) -> Response:
    """503, with when to try again; the operator's line goes to the log and to members, not to strangers."""
    site: Site = request.app.state.site
    store = store_of(site.desk, error)
    _log.warning("%s %s: %s", request.method, _route(request), error)
    # Whoever asks is known by the ledger: while it is down, nobody is.
    visitor = stranger(request) if store == LEDGER else _known(request)
    response = _shaped(request, visitor, store, str(error))
    response.headers["retry-after"] = str(AGAIN)
    return response


def answer_hanging(request: Request) -> Response:
    """503 for a page that was waited for long enough; the stores are asked which of them it is."""
    site: Site = request.app.state.site
    store, line = next(iter(site.pulse.beat(1.0).problems.items()), (_EITHER, ""))
    _log.warning("%s %s: given up; %s", request.method, _route(request), line or "both stores answer")
    # An account is looked up in the ledger, which may be what hangs.
    response = _shaped(request, stranger(request), store, line)
    response.headers["retry-after"] = str(AGAIN)
    return response


def _known(request: Request) -> Visitor:
    try:
        return anyone(request)
    except ClaimwatchError:
        return stranger(request)


def _shaped(request: Request, visitor: Visitor, store: str, line: str) -> Response:
    heading, explanation = visitor.say(_HEADINGS[store]), visitor.say(_EXPLANATIONS[store])
    detail = line if has_signed_in(request) else ""
    if "hx-request" in request.headers:
        return _note(heading, explanation)
    if "application/json" in request.headers.get("accept", ""):
        said = {"error": heading, "store": store, "do": detail or advice_of(line), "retry_after": AGAIN}
        return JSONResponse(said, status_code=503)
    return visitor.show(StorePage(heading=heading, explanation=explanation, detail=detail, seconds=AGAIN), status=503)


def _note(heading: str, explanation: str) -> Response:
    """A part of a page cannot show it in its own place: it goes where notes are, and leaves the rest as it was."""
    note = Markup('<div class="problem" role="alert"><strong>{}</strong> {}</div>').format(heading, explanation)
    headers = {"hx-retarget": "#messages", "hx-reswap": "innerHTML", "hx-reselect": ".problem", "hx-push-url": "false"}
    return Response(note, status_code=503, headers=headers, media_type="text/html")


def _route(request: Request) -> str:
    """The route's template: a path may name a card."""
    return str(getattr(request.scope.get("route"), "path", "")) or "(none)"
