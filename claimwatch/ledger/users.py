"""Accounts of the review pages."""

from datetime import datetime
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, Row, func, insert, select, update

from claimwatch.errors import ConfigError
from claimwatch.ledger.tables import users
from claimwatch.records import Role, User

_SHORTEST = 12


def add(db: Connection, name: str, password: str, role: Role, now: datetime, *, language: str = "vi") -> User:
    """Make an account. ConfigError where the name is taken or the password under 12 characters."""
    if not name.strip() or by_name(db, name):
        raise ConfigError(f"the account name {name!r} is empty or taken: choose another")
    values = {"name": name, "role": role.value, "language": language, "disabled": False, "session": 1}
    row = values | {"password": _hashed(password), "created_at": now}
    key = db.execute(insert(users).values(**row)).inserted_primary_key
    assert key is not None
    return User(id=key[0], **(values | {"role": role}))  # type: ignore[arg-type]


def sign_in(db: Connection, name: str, password: str) -> User | None:
    """The account, if it is enabled and the password is right. Takes the same time for unknown names."""
    row = db.execute(select(users).where(users.c.name == name)).first()
    try:
        PasswordHasher().verify(row.password if row else _decoy(), password)
    except (VerificationError, InvalidHashError):
        return None
    return _user(row) if row and not row.disabled else None


def by_name(db: Connection, name: str) -> User | None:
    """An account by its name."""
    row = db.execute(select(users).where(users.c.name == name)).first()
    return _user(row) if row else None


def get(db: Connection, user: int) -> User | None:
    """An account by its number."""
    row = db.execute(select(users).where(users.c.id == user)).first()
    return _user(row) if row else None


def every(db: Connection) -> list[User]:
    """All accounts by name."""
    return [_user(row) for row in db.execute(select(users).order_by(users.c.name))]


def count(db: Connection) -> int:
    """How many accounts there are."""
    return db.execute(select(func.count()).select_from(users)).scalar_one()


def set_password(db: Connection, user: int, password: str) -> None:
    """Change the password; every open sign-in ends."""
    values = {"password": _hashed(password), "session": users.c.session + 1}
    db.execute(update(users).where(users.c.id == user).values(**values))


def set_role(db: Connection, user: int, role: Role) -> None:
    """Change what the account may do."""
    db.execute(update(users).where(users.c.id == user).values(role=role.value))


def set_language(db: Connection, user: int, language: str) -> None:
    """Change the language of the account's pages."""
    db.execute(update(users).where(users.c.id == user).values(language=language))


def disable(db: Connection, user: int, *, disabled: bool = True) -> None:
    """Shut an account out, or let it in again; every open sign-in ends."""
    db.execute(update(users).where(users.c.id == user).values(disabled=disabled, session=users.c.session + 1))


def _hashed(password: str) -> str:
    if len(password) < _SHORTEST:
        raise ConfigError(f"the password needs at least {_SHORTEST} characters")
    return PasswordHasher().hash(password)


@cache
def _decoy() -> str:
    return PasswordHasher().hash("nobody has this password")


def _user(row: Row[Any]) -> User:
    return User(
        id=row.id, name=row.name, role=Role(row.role), language=row.language, disabled=row.disabled, session=row.session
    )
