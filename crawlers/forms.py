"""The forms of every kind of source, in a visitor's language, and what is wrong with a filled one."""

from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from claimwatch.errors import SourceError
from claimwatch.records import Source
from claimwatch.sourceforms import FieldForm, KindForm
from crawlers.kinds import KINDS, checked_settings, kind_of
from crawlers.ratelimit import book_key
from crawlers.wording import in_words, say

#: Ends of the names of settings that tell, in a kind with secrets, whom to ask and which secret to send along.
_SECRETS = ("_env", "_url")
_HIDDEN = "credential"
_MISSING = frozenset({"missing", "string_too_short", "too_short"})
_OUT_OF_RANGE = frozenset({"greater_than", "greater_than_equal", "less_than", "less_than_equal"})


def form_of(kind: str, language: str) -> KindForm:
    """The form of a kind; SourceError where there is none of that name."""
    shape = kind_of(Source(name="new", kind=kind, settings={})).settings
    takes_secret = "token_env" in shape.model_fields
    fields = [
        _field(name, info, language, guarded=name == "allow_hosts" or (takes_secret and name.endswith(_SECRETS)))
        for name, info in shape.model_fields.items()
        if name != _HIDDEN
    ]
    return KindForm(
        name=kind,
        help=say(shape.__doc__ or "", language),
        # What every kind has comes last: few need it.
        fields=tuple(sorted(fields, key=lambda one: (one.guarded, not one.required))),
    )


def forms(language: str) -> tuple[KindForm, ...]:
    """The forms of all kinds."""
    return tuple(form_of(name, language) for name in KINDS)


def faults_of(source: Source, language: str) -> dict[str, str]:
    """What is wrong with a source's settings, by setting, in the language; "" is what concerns the whole."""
    shape = kind_of(source).settings
    try:
        shape.model_validate(dict(source.settings))
    except ValidationError as error:
        return {str(one["loc"][0]) if one["loc"] else "": _fault(dict(one), language) for one in error.errors()}
    # Any other variable may hold the secret of a store or of another source, which this one's server would be told.
    own = f"CLAIMWATCH_{source.kind.upper()}_"
    strange = [key for key, said in source.settings.items() if key.endswith("_env") and not str(said).startswith(own)]
    if strange:
        said = say("Its name must begin with CLAIMWATCH_ and the kind in capitals.", language)
        return dict.fromkeys(strange, said)
    try:
        checked_settings(source)
    except SourceError as error:
        _, key, said = error.reason.split("`", 2)
        return {key: in_words(said.removeprefix(": "), language)}
    return {}


def host_of(source: Source) -> str:
    """The key of a source's host in the rate-limit book; "" where its settings are wrong or lack a secret."""
    try:
        settings = checked_settings(source)
        if _HIDDEN in type(settings).model_fields:
            settings = settings.model_copy(update={_HIDDEN: "any"})
        return book_key(kind_of(source).plan(source.name, settings).first({}).url)
    except SourceError:
        return ""


def _field(name: str, info: FieldInfo, language: str, *, guarded: bool) -> FieldForm:
    shape, choices = _shape(info.annotation)
    required = info.is_required()
    return FieldForm(
        name=name,
        help=say(info.description or "", language).replace("`", ""),
        shape=shape,
        required=required,
        default="" if required else _default(info.default),
        choices=choices,
        guarded=guarded,
    )


def _shape(annotation: Any) -> tuple[Literal["text", "flag", "list", "number", "choice"], tuple[str, ...]]:
    if annotation is bool:
        return "flag", ()
    if annotation in (int, float):
        return "number", ()
    if get_origin(annotation) is Literal:
        return "choice", tuple(map(str, get_args(annotation)))
    return ("list" if get_origin(annotation) is tuple else "text"), ()


def _default(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _fault(error: dict[str, Any], language: str) -> str:
    kind, given = str(error["type"]), error.get("input")
    if kind in _MISSING or (kind == "string_pattern_mismatch" and not given):
        return say("This is needed.", language)
    if kind == "string_pattern_mismatch":
        return say("This does not have the right form: see what is said of the field.", language)
    if kind in _OUT_OF_RANGE:
        return say("This number is too small or too large.", language)
    if kind.endswith("_parsing"):
        return say("Give a number.", language)
    return in_words(str(error["msg"]).removeprefix("Value error, "), language)
