"""users: accounts of the review pages."""

import os
from pathlib import Path

import click

from claimwatch.errors import ConfigError
from claimwatch.ledger import users
from claimwatch.records import Role, User
from jobs.cli.options import config_option, desk_of, echo_json

_ROLE = click.Choice([role.value for role in Role])


@click.group("users", help="Accounts of the review pages: list, add, disable, enable, password.")
def users_command() -> None:
    """Accounts are made by an operator here or by an admin on the pages."""


@users_command.command("list", help="All accounts as JSON.")
@config_option
def list_users(config: Path | None) -> None:
    """Names, roles and whether they are shut out."""
    with desk_of(config) as (desk, _), desk.ledger.read() as db:
        rows = [{"name": one.name, "role": one.role, "disabled": one.disabled} for one in users.every(db)]
    echo_json(rows)


@users_command.command(
    "add", help="Make an account; the password is asked for or taken from CLAIMWATCH_ADMIN_PASSWORD."
)
@click.argument("name")
@click.option("--role", type=_ROLE, default="moderator", show_default=True, help="What the account may do.")
@config_option
def add_user(name: str, role: str, config: Path | None) -> None:
    """A password never stands on the command line: others could read it there."""
    with desk_of(config) as (desk, _):
        password = _asked_password()
        with desk.ledger.write() as db:
            users.add(db, name, password, Role(role), desk.now(), language=desk.settings.desk.language)
    click.echo(f"made {name} ({role})")


@users_command.command("password", help="Give an account a new password; its open sign-ins end.")
@click.argument("name")
@config_option
def change_password(name: str, config: Path | None) -> None:
    """Asked for, or taken from CLAIMWATCH_ADMIN_PASSWORD."""
    with desk_of(config) as (desk, _):
        with desk.ledger.read() as db:
            user = _found(users.by_name(db, name), name)
        password = _asked_password()
        with desk.ledger.write() as db:
            users.set_password(db, user.id, password)
    click.echo(f"changed the password of {name}")


@users_command.command("disable", help="Shut an account out; its open sign-ins end.")
@click.argument("name")
@click.option("--undo", is_flag=True, help="Let it in again.")
@config_option
def disable_user(name: str, undo: bool, config: Path | None) -> None:
    """Nothing of what the account decided changes."""
    with desk_of(config) as (desk, _), desk.ledger.write() as db:
        users.disable(db, _found(users.by_name(db, name), name).id, disabled=not undo)
    click.echo(f"{'enabled' if undo else 'disabled'} {name}")


def _found(user: User | None, name: str) -> User:
    if user is None:
        raise ConfigError(f"there is no account {name!r}; see: claimwatch users list")
    return user


def _asked_password() -> str:
    given = os.environ.get("CLAIMWATCH_ADMIN_PASSWORD")
    return given or str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
