"""What a form asks of a source, and what a trial of one shows: handed from the crawlers to the pages."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldForm:
    """One setting of a kind of source."""

    name: str
    help: str  #: in the visitor's language
    shape: Literal["text", "flag", "list", "number", "choice"]
    required: bool
    default: str  #: as a person would write it
    choices: tuple[str, ...] = ()
    guarded: bool = False  #: says which hosts may be asked, or with whose secret: for administrators alone


@dataclass(frozen=True, slots=True, kw_only=True)
class KindForm:
    """One kind of source."""

    name: str
    help: str  #: in the visitor's language
    fields: tuple[FieldForm, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialPost:
    """One post that a trial met, scrubbed, its author unknown."""

    text: str
    language: str
    created_at: datetime | None
    left_out: str = ""  #: why a crawl would leave it out, as one word; "" where it would be kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What asking a source once gave. Nothing of it is kept."""

    posts: tuple[TrialPost, ...] = ()  #: the first ten
    found: int = 0  #: posts on the page, left out or not
    left_out: Mapping[str, int] = field(default_factory=dict)  #: by reason, those without text too
    problems: tuple[str, ...] = ()
    failure: str = ""  #: why nothing was read; "" where something was


def settings_of(form: KindForm, given: Mapping[str, str]) -> dict[str, Any]:
    """The settings that a filled form means; empty fields are left to the kind's defaults."""
    found: dict[str, Any] = {}
    for one in form.fields:
        said = given.get(one.name, "").strip()
        if one.shape == "flag":
            if bool(said) != (one.default == "yes"):
                found[one.name] = bool(said)
        elif said and said != one.default:
            found[one.name] = _meant(one, said)
    return found


def filled(form: KindForm, settings: Mapping[str, Any]) -> dict[str, str]:
    """A form's fields as they look for these settings."""
    return {one.name: _written(settings[one.name]) if one.name in settings else one.default for one in form.fields}


def _meant(one: FieldForm, said: str) -> Any:
    if one.shape == "list":
        return [part.strip() for part in re.split(r"[,\n]", said) if part.strip()]
    if one.shape == "number" and re.fullmatch(r"-?\d{1,9}(\.\d{1,6})?", said):
        return float(said) if "." in said else int(said)
    return said


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
