"""Signing in and out, one's own language and password."""

from threading import BoundedSemaphore
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import Response

from claimwatch.ledger import decisions, users
from claimwatch.records import User
from review_ui.forms import LanguageForm, PasswordForm, SignInForm
from review_ui.languages import LANGUAGES
from review_ui.pages import AccountPage, SignInPage
from review_ui.session import COOKIE
from review_ui.visitor import Anyone, Member, Sender, SendingMember, Visitor, go, inside

router = APIRouter()
SHORTEST = 12  #: characters of a password, as the ledger asks
#: Checking a password takes 64 MB: two at a time, however many ask.
_HASHING = BoundedSemaphore(2)


@router.get("/sign-in")
def ask(visitor: Anyone, next: str = "/") -> Response:  # noqa: A002  the parameter's name in the address
    """The sign-in form."""
    return go(inside(next)) if visitor.user else visitor.show(SignInPage(name="", problem="", next=inside(next)))


@router.post("/sign-in")
def sign_in(visitor: Sender, form: Annotated[SignInForm, Form()]) -> Response:
    """Begin a session, or say what is wrong without saying which of the two."""
    throttle, name = visitor.site.throttle, form.name.strip()
    if (seconds := throttle.seconds_left(name)) > 0:
        minutes = max(1, round(seconds / 60))
        wait = visitor.language.ngettext("Wait %(n)s minute.", "Wait %(n)s minutes.", minutes) % {"n": minutes}
        return _again(visitor, form, visitor.say("Too many wrong passwords for this account.") + " " + wait, 429)
    user = _verified(visitor, name, form.password)
    if user is None:
        throttle.failed(name)
        return _again(visitor, form, visitor.say("Name and password do not fit together."), 403)
    throttle.succeeded(name)
    return _begin(visitor, user, go(inside(form.next)))


@router.post("/sign-out")
def sign_out(_: SendingMember) -> Response:
    """End this session."""
    response = go("/sign-in")
    response.delete_cookie(COOKIE)
    return response


@router.post("/language")
def speak(visitor: Sender, form: Annotated[LanguageForm, Form()]) -> Response:
    """Change the language of the pages: of the account, else of this browser."""
    response = go(inside(form.back))
    if visitor.user:
        with visitor.desk.ledger.write() as db:
            users.set_language(db, visitor.user.id, form.language)
    visitor.keep_language(response, form.language)
    return response


@router.get("/account")
def account(visitor: Member) -> Response:
    """One's own account."""
    return visitor.show(_page())


@router.post("/account/password")
def change_password(visitor: SendingMember, form: Annotated[PasswordForm, Form()]) -> Response:
    """Change one's password; every other session of the account ends."""
    problem = _wrong(visitor, form)
    if problem:
        return visitor.show(_page(problem=problem), status=422)
    with visitor.desk.ledger.write() as db:
        users.set_password(db, visitor.account.id, form.new)
        user = users.get(db, visitor.account.id)
    assert user is not None
    done = visitor.say("The password is changed. Every other session of this account has ended.")
    return _begin(visitor, user, visitor.show(_page(done=done)))


def _verified(visitor: Visitor, name: str, password: str) -> User | None:
    with _HASHING, visitor.desk.ledger.read() as db:
        return users.sign_in(db, name, password)


def _begin(visitor: Visitor, user: User, response: Response) -> Response:
    with visitor.desk.ledger.read() as db:
        newest = decisions.recent(db, 1)
    visitor.keep(response, visitor.site.sessions.begin(user, newest[0].id if newest else 0))
    visitor.keep_language(response, user.language)  # the account cannot be asked while the ledger is down
    return response


def _again(visitor: Visitor, form: SignInForm, problem: str, status: int) -> Response:
    return visitor.show(SignInPage(name=form.name, problem=problem, next=inside(form.next)), status=status)


def _page(*, problem: str = "", done: str = "") -> AccountPage:
    return AccountPage(problem=problem, done=done, languages=tuple(LANGUAGES.items()))


def _wrong(visitor: Visitor, form: PasswordForm) -> str:
    """What speaks against the new password; "" for nothing."""
    if len(form.new) < SHORTEST:
        return visitor.say("A password needs at least %(least)s characters.", least=SHORTEST)
    if form.new != form.again:
        return visitor.say("The two new passwords differ.")
    name = visitor.account.name
    if visitor.site.throttle.seconds_left(name) > 0:
        return visitor.say("Too many wrong passwords for this account.")
    if _verified(visitor, name, form.present) is None:
        visitor.site.throttle.failed(name)
        return visitor.say("The present password is wrong.")
    return ""
