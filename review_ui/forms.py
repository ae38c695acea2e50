"""One class per form: what a browser may send, and how long it may be."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from claimwatch.records import Action, Role, Verdict

Short = Annotated[str, Field(max_length=200)]
Text = Annotated[str, Field(max_length=4000)]
Spoken = Literal["vi", "en"]
#: An empty field of a form means that nothing was given.
OrNone = BeforeValidator(lambda value: value or None)


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, str_strip_whitespace=True)


class SignInForm(_Form):
    """Name and password; the password as typed."""

    model_config = ConfigDict(frozen=True)
    name: Short = ""
    password: Annotated[str, Field(max_length=1000)] = ""
    next: Annotated[str, Field(max_length=1000)] = "/"


class LanguageForm(_Form):
    """A language, and the page to come back to."""

    language: Spoken
    back: Annotated[str, Field(max_length=2000)] = "/"


class SeenForm(_Form):
    """What a moderator saw of a card when they acted."""

    seen: Annotated[int, Field(ge=0)]
    text_hash: Short = ""
    only: Annotated[str, Field(max_length=8)] = ""


class DecideForm(SeenForm):
    """A decision: the action, and after a space the claim it is about."""

    choice: Short
    other: Short = ""  #: a claim chosen from the list
    reason: Annotated[str, Field(max_length=1000)] = ""

    @property
    def action(self) -> Action | None:
        """The action, if it is one that this form may carry."""
        name = self.choice.partition(" ")[0]
        return Action(name) if name in _CHOOSABLE else None

    @property
    def claim(self) -> str:
        """The claim it is about; "" for none."""
        return self.choice.partition(" ")[2] or self.other


class NewClaimForm(SeenForm):
    """A claim that the ledger does not have, in one sentence."""

    statement: Annotated[str, Field(max_length=400)] = ""
    language: Spoken


class ClaimForm(_Form):
    """The statement, the harm and the answer of a claim. Evidence: one per line, publisher | title | link."""

    statement_vi: Text = ""
    statement_en: Text = ""
    correction_vi: Text = ""
    correction_en: Text = ""
    harm: Annotated[int, Field(ge=1, le=4)]
    evidence: Text = ""
    version: int


class VerdictForm(_Form):
    """A person's verdict of a claim."""

    verdict: Annotated[Verdict | None, OrNone] = None
    version: int


class MergeForm(_Form):
    """The claim that another one is the same as."""

    into: Short


class ResponseForm(_Form):
    """What the team does about a claim."""

    kind: Short
    owner: Annotated[int | None, OrNone] = None
    due: Annotated[date | None, OrNone] = None
    link: Annotated[str, Field(max_length=1000)] = ""
    done: bool = False


class PauseForm(_Form):
    """Whether a source is crawled."""

    enabled: bool


class SourceForm(_Form):
    """A source; the settings of its kind are the further fields, each named `set.` and the setting."""

    model_config = ConfigDict(frozen=True, str_strip_whitespace=True, extra="allow")
    kind: Annotated[str, Field(max_length=40)]
    name: Short = ""
    language: Annotated[str, Field(max_length=8)] = ""
    every: Annotated[str, Field(max_length=8)] = ""
    expected_per_week: Annotated[str, Field(max_length=8)] = ""
    action: Literal["try", "save"] = "try"

    @property
    def settings(self) -> dict[str, str]:
        """The kind's own fields, as filled."""
        further = self.model_extra or {}
        return {name[4:]: str(said)[:4000] for name, said in further.items() if name.startswith("set.")}


class CheckForm(_Form):
    """A text somebody wonders about; its length is checked where it can be said in words."""

    text: Annotated[str, Field(max_length=60_000)] = ""


class PasswordForm(_Form):
    """One's present password, and the new one twice, as typed."""

    model_config = ConfigDict(frozen=True)
    present: Annotated[str, Field(max_length=1000)] = ""
    new: Annotated[str, Field(max_length=1000)] = ""
    again: Annotated[str, Field(max_length=1000)] = ""


class UserForm(_Form):
    """A new account."""

    name: Annotated[str, Field(max_length=80)] = ""
    password: Annotated[str, Field(max_length=1000)] = ""
    role: Role
    language: Spoken


class RoleForm(_Form):
    """What an account may do from now on."""

    role: Role


class DisableForm(_Form):
    """Whether an account is shut out."""

    disabled: bool


_CHOOSABLE = {Action.REPEATS, Action.REFUTES, Action.ASKS, Action.NOT_HEALTH, Action.SKIP}
