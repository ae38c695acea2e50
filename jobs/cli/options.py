"""What commands share: --config, opening the desk, progress and JSON."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from claimwatch.desk import Desk
from claimwatch.settings import Places
from jobs.opening import opened

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=None,
    help="Configuration: claimwatch.yml or its folder. Default: CLAIMWATCH_CONFIG, else ./config.",
)


@contextmanager
def desk_of(config: Path | None) -> Iterator[tuple[Desk, Places]]:
    """The open desk of this command."""
    with opened(config, os.environ) as pair:
        yield pair


@contextmanager
def bar(title: str, total: int | None = None, unit: str = "posts") -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error, only where somebody watches; yields how to advance it."""
    with tqdm(total=total, desc=title, unit=f" {unit}", disable=not sys.stderr.isatty(), leave=False) as shown:

        def advance(more: int) -> None:
            shown.update(more)

        yield advance


def echo_json(value: Any) -> None:
    """Print a value as JSON, records as objects, times in ISO 8601."""
    click.echo(json.dumps(plain(value), ensure_ascii=False, sort_keys=False))


def plain(value: Any) -> Any:
    """A value as JSON knows it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(part) for part in value]
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, datetime | date) else value


@contextmanager
def steps(title: str) -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar for work that tells (what it does, how far, of how much); a line where nobody watches."""
    with tqdm(
        desc=title, disable=not sys.stderr.isatty(), leave=False, bar_format="{desc}: {percentage:3.0f}%"
    ) as shown:

        def tell(what: str, done: int, total: int) -> None:
            shown.set_description(f"{title}: {what}")
            shown.total, shown.n = total, done
            shown.refresh()

        yield tell
