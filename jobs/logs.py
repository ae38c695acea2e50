"""Logs on standard error, as text or as one JSON object a line; what may name a person or hold a secret is cut out."""

import json
import logging
import re
import sys
import traceback
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from claimwatch import settings
from claimwatch.errors import ClaimwatchError

#: Path, query and user of a URL: the one may name a person, the others hold a token.
_URL = re.compile(r"\b([a-z][a-z0-9+.-]*://)(?:[^\s/?#@'\"<>]*@)?([^\s/?#'\"<>]*)[/?#][^\s'\"<>]*", re.IGNORECASE)
_USER = re.compile(r"(://)[^\s/?#@'\"<>]*@")
_PERSON = re.compile(r"\bdid:[a-z]+:[\w.:%-]+|(?<![\w.])@[\w.-]+(?:@[\w.-]+)?|\b[\w.+-]+@[\w-]+\.[\w.-]+")
#: Shorter ones would cut holes into ordinary words.
_SECRET_LENGTH = 6
#: What every record carries; anything beside it was added by whoever logged it.
_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
#: Libraries that tell more than an operator wants to know.
_QUIET = ("scrapy", "apscheduler", "asyncio", "httpx", "alembic", "procrastinate", "elastic_transport", "uvicorn")


class Cleaned(logging.Formatter):
    """One line a record, with an exception's places but not its words: libraries quote in them what they were given."""

    def __init__(self, secrets: Collection[str] = ()) -> None:
        super().__init__("%(asctime)s level=%(levelname)s from=%(name)s %(message)s")
        self._secrets = sorted((one for one in secrets if len(one) >= _SECRET_LENGTH), key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        added = "".join(f" {name}={value}" for name, value in self.fields(record).items())
        line = f"{when} level={record.levelname} from={record.name} {self.message(record)}{added}"
        told = self.exception(record)
        return f"{line} error={told['type']} {told['message']} at {' < '.join(told['at'])}" if told else line

    def message(self, record: logging.LogRecord) -> str:
        """The message on one line."""
        return " ".join(self.clean(record.getMessage()).split())

    def fields(self, record: logging.LogRecord) -> dict[str, Any]:
        """The plain fields that were added to the record; structures are left out, they may hold anything."""
        added = {name: value for name, value in vars(record).items() if name not in _USUAL}
        plain = {name: value for name, value in added.items() if isinstance(value, str | int | float | bool)}
        return {name: self.clean(value) if isinstance(value, str) else value for name, value in plain.items()}

    def exception(self, record: logging.LogRecord) -> dict[str, Any]:
        """Type and places of the exception, innermost first; words only of those that are written for operators."""
        if not record.exc_info or record.exc_info[1] is None:
            return {}
        error = record.exc_info[1]
        ours = isinstance(error, ClaimwatchError)
        said = " ".join(self.clean(str(error)).split()) if ours else ""
        return {"type": type(error).__name__, "message": said, "at": _places(error.__traceback__)}

    def clean(self, text: str) -> str:
        """The text without secrets, people, and what follows the host of a URL."""
        for secret in self._secrets:
            text = text.replace(secret, "[secret]")
        return _PERSON.sub("[person]", _USER.sub(r"\1", _URL.sub(r"\1\2/…", text)))


class OneObject(Cleaned):
    """The same as JSON: time, level, logger, message, then error and extra fields where there are any."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one JSON object."""
        told = self.exception(record)
        line = self.fields(record) | {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": self.message(record),
        }
        return json.dumps(line | ({"error": told} if told else {}), ensure_ascii=False)


def log_to_stderr(config: Path | None, environment: Mapping[str, str]) -> None:
    """Send every library's log through one formatter, in the format that the settings name."""
    file = settings.places(environment, config).config
    chosen = settings.load(file, environment).logs.format
    secrets = [*settings.credentials(environment).values(), environment.get("CLAIMWATCH_ADMIN_PASSWORD", "")]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(chosen, secrets))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # a lost database is told once, by us


def formatter(chosen: Literal["text", "json"], secrets: Collection[str] = ()) -> Cleaned:
    """The formatter of a format; `secrets` are cut out wherever they turn up."""
    return OneObject(secrets) if chosen == "json" else Cleaned(secrets)


def _places(trace: TracebackType | None) -> list[str]:
    return [f"{Path(one.filename).name}:{one.lineno} {one.name}" for one in reversed(traceback.extract_tb(trace))]
