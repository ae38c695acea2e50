"""The accounts of the desk, for its administrators."""

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException
from fastapi.responses import Response

from claimwatch.ledger import users
from claimwatch.records import Role, User
from review_ui.forms import DisableForm, RoleForm, UserForm
from review_ui.languages import LANGUAGES
from review_ui.pages import UsersPage
from review_ui.views.account import SHORTEST
from review_ui.visitor import Admin, SendingAdmin, Visitor, go

router = APIRouter()


@router.get("/users")
def listing(visitor: Admin) -> Response:
    """Every account."""
    return visitor.show(_page(visitor))


@router.post("/users")
def add(visitor: SendingAdmin, form: Annotated[UserForm, Form()]) -> Response:
    """Make an account."""
    with visitor.desk.ledger.write() as db:
        taken = not form.name or users.by_name(db, form.name) is not None
        if not taken and len(form.password) >= SHORTEST:
            users.add(db, form.name, form.password, form.role, visitor.desk.now(), language=form.language)
            return go("/users")
    problem = visitor.say("This name is empty or taken: choose another.")
    if not taken:
        problem = visitor.say("A password needs at least %(least)s characters.", least=SHORTEST)
    return visitor.show(_page(visitor, problem), status=422)


@router.post("/users/{user}/role")
def change_role(visitor: SendingAdmin, user: int, form: Annotated[RoleForm, Form()]) -> Response:
    """Change what an account may do."""
    other = _other(visitor, user)
    with visitor.desk.ledger.write() as db:
        users.set_role(db, other.id, form.role)
    return go("/users")


@router.post("/users/{user}/disable")
def disable(visitor: SendingAdmin, user: int, form: Annotated[DisableForm, Form()]) -> Response:
    """Shut an account out, or let it in again."""
    other = _other(visitor, user)
    with visitor.desk.ledger.write() as db:
        users.disable(db, other.id, disabled=form.disabled)
    return go("/users")


def _other(visitor: Visitor, user: int) -> User:
    """Another account than one's own, so that a desk never loses its last administrator."""
    with visitor.desk.ledger.read() as db:
        found = users.get(db, user)
    if found is None:
        raise HTTPException(404)
    if found.id == visitor.account.id:
        raise HTTPException(422, visitor.say("Another administrator must change your account."))
    return found


def _page(visitor: Visitor, problem: str = "") -> UsersPage:
    with visitor.desk.ledger.read() as db:
        known = tuple(users.every(db))
    return UsersPage(users=known, roles=tuple(Role), languages=tuple(LANGUAGES.items()), problem=problem)
