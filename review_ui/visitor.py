"""Who asks for a page, and what they may do."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import Depends, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from prometheus_client import CollectorRegistry

from claimwatch.desk import Desk
from claimwatch.ledger import users
from claimwatch.ledger.reports import Published
from claimwatch.pulse import Pulse
from claimwatch.records import Role, User
from review_ui.languages import LANGUAGES, Language
from review_ui.pages import Frame, Note, Page
from review_ui.session import COOKIE, LANGUAGE_COOKIE, Session, Sessions, Throttle
from review_ui.templates import Templates
from review_ui.trials import SourceKinds, Trials
from review_ui.watch import Watch

_RANKS = list(Role)


class Nearest(Protocol):
    """A claim near a pasted text, as the classifier tells it."""

    @property
    def claim(self) -> str:
        """The claim's id."""
        ...

    @property
    def similarity(self) -> float:
        """To its nearest phrasing, 0 to 1."""
        ...


class Opinion(Protocol):
    """What the pages need of a model's opinion; the classifier's own has it."""

    @property
    def nearest(self) -> Sequence[Nearest]:
        """Claims above the suggest threshold, nearest first."""
        ...

    @property
    def similarity(self) -> float:
        """To the nearest claim, above the threshold or not."""
        ...


#: A text and the language of the page it was pasted into, to an opinion.
Score = Callable[[str, str], Opinion]
#: A published report and a language, to escaped HTML with a first heading of its own.
RenderReport = Callable[[Published, str], str]


class SignInNeededError(Exception):
    """A page for members was asked for by nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Everything the views work with; made once by `create_app`."""

    desk: Desk
    sessions: Sessions
    throttle: Throttle
    templates: Templates
    score: Score | None
    render_report: RenderReport | None
    report_css: str
    kinds: SourceKinds | None
    trials: Trials
    watch: Watch
    pulse: Pulse
    figures: CollectorRegistry


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody at a page."""

    site: Site
    session: Session
    user: User | None
    language: Language
    path: str
    fresh: bool  #: the session cookie must be set

    @property
    def desk(self) -> Desk:
        """The desk whose pages these are."""
        return self.site.desk

    @property
    def account(self) -> User:
        """The account, on pages that ask for one."""
        if self.user is None:
            raise SignInNeededError
        return self.user

    def may(self, role: Role) -> bool:
        """Whether the account has at least this role."""
        return self.user is not None and _RANKS.index(self.user.role) >= _RANKS.index(role)

    def say(self, message: str, **values: object) -> str:
        """A message in the visitor's language."""
        text = self.language.gettext(message) if message else ""
        return text % values if values else text

    def show(self, page: Page, *, status: int = 200, note: Note | None = None) -> Response:
        """The page, as an answer."""
        response = HTMLResponse(self.site.templates.html(page, self._frame(note)), status_code=status)
        if self.fresh:
            self.keep(response, self.session)
        return response

    def keep(self, response: Response, session: Session) -> None:
        """Set the session cookie."""
        self._cookie(response, COOKIE, self.site.sessions.seal(session), self.site.sessions.seconds)

    def keep_language(self, response: Response, language: str) -> None:
        """Remember the language of this browser, for when no account says it."""
        self._cookie(response, LANGUAGE_COOKIE, language, 365 * 86400)

    def _cookie(self, response: Response, name: str, value: str, seconds: int) -> None:
        secure = self.desk.settings.web.secure_cookies
        response.set_cookie(name, value, max_age=seconds, httponly=True, samesite="lax", secure=secure)

    def _frame(self, note: Note | None) -> Frame:
        return Frame(
            desk=self.desk.settings.desk.name,
            language=self.language.code,
            user=self.user,
            token=self.site.sessions.token(self.session),
            path=self.path,
            section=self.path.split("?")[0].split("/")[1],
            can_check=self.site.score is not None,
            moderator=self.may(Role.MODERATOR),
            lead=self.may(Role.LEAD),
            admin=self.may(Role.ADMIN),
            notices=self.site.watch.count() if self.may(Role.LEAD) else 0,
            note=note,
            version=self.site.templates.version,
        )


def anyone(request: Request) -> Visitor:
    """Whoever asks, signed in or not."""
    site: Site = request.app.state.site
    stored = site.sessions.read(request.cookies.get(COOKIE))
    user = _user_of(site, stored)
    ended = stored is None or (stored.user is not None and user is None)
    session = stored if stored and not ended else site.sessions.anonymous()
    return _visitor(request, session, user=user, fresh=ended)


def stranger(request: Request) -> Visitor:
    """Whoever asks, taken for nobody: for error pages while the ledger cannot be read."""
    site: Site = request.app.state.site
    return _visitor(request, site.sessions.anonymous(), user=None, fresh=False)


def has_signed_in(request: Request) -> bool:
    """Whether the cookie, which we sealed, is a member's; asks no store, so it may be of one who left since."""
    site: Site = request.app.state.site
    stored = site.sessions.read(request.cookies.get(COOKIE))
    return stored is not None and stored.user is not None


def member(visitor: Annotated[Visitor, Depends(anyone)]) -> Visitor:
    """Somebody signed in."""
    if visitor.user is None:
        raise SignInNeededError
    return visitor


async def formed(request: Request, visitor: Annotated[Visitor, Depends(anyone)]) -> Visitor:
    """Whoever sends a form that a page of their own session carried."""
    token = (await request.form()).get("token")
    if not isinstance(token, str) or not visitor.site.sessions.accepts(visitor.session, token):
        raise HTTPException(403, "form")
    return visitor


def posting(role: Role) -> Callable[[Visitor, Visitor], Visitor]:
    """Asks for a form sent by somebody with at least this role."""

    def checked(visitor: Annotated[Visitor, Depends(member)], _: Annotated[Visitor, Depends(formed)]) -> Visitor:
        if not visitor.may(role):
            raise HTTPException(403, "role")
        return visitor

    return checked


def lead(visitor: Annotated[Visitor, Depends(member)]) -> Visitor:
    """A lead, or an administrator."""
    if not visitor.may(Role.LEAD):
        raise HTTPException(403, "role")
    return visitor


def admin(visitor: Annotated[Visitor, Depends(member)]) -> Visitor:
    """An administrator."""
    if not visitor.may(Role.ADMIN):
        raise HTTPException(403, "role")
    return visitor


Anyone = Annotated[Visitor, Depends(anyone)]
Member = Annotated[Visitor, Depends(member)]
Lead = Annotated[Visitor, Depends(lead)]
Admin = Annotated[Visitor, Depends(admin)]
#: Senders of forms.
Sender = Annotated[Visitor, Depends(formed)]
SendingMember = Annotated[Visitor, Depends(posting(Role.VIEWER))]
SendingModerator = Annotated[Visitor, Depends(posting(Role.MODERATOR))]
SendingLead = Annotated[Visitor, Depends(posting(Role.LEAD))]
SendingAdmin = Annotated[Visitor, Depends(posting(Role.ADMIN))]


def go(path: str) -> Response:
    """Send the visitor on, by GET."""
    return RedirectResponse(path, status_code=303)


def inside(path: str) -> str:
    """The path if it leads within these pages, else the front page."""
    safe = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if safe else "/"


def _user_of(site: Site, session: Session | None) -> User | None:
    if session is None or session.user is None:
        return None
    with site.desk.ledger.read() as db:
        user = users.get(db, session.user)
    return user if user and not user.disabled and user.session == session.number else None


def _visitor(request: Request, session: Session, *, user: User | None, fresh: bool) -> Visitor:
    site: Site = request.app.state.site
    code = _language(request.cookies, user, site.desk.settings.desk.language)
    query = f"?{request.url.query}" if request.url.query else ""
    path = inside(request.url.path + query) if request.method == "GET" else "/"
    return Visitor(
        site=site,
        session=session,
        user=user,
        language=site.templates.languages[code],
        path=path,
        fresh=fresh,
    )


def _language(cookies: Mapping[str, str], user: User | None, default: str) -> str:
    wished = user.language if user else cookies.get(LANGUAGE_COOKIE, default)
    return wished if wished in LANGUAGES else default
