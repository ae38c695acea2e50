"""What a kind of source asks next: pure, so that every turn of a crawl can be tested without a network."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator

from crawlers.guard import hosts_in
from crawlers.page import Page, Parser


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request of a crawl."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  #: may hold a credential
    turn: str = "page"  #: which question of the plan this is
    mark: str = ""  #: the id the question starts from, where it has one


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What follows from a page: the cursor to keep with it, and the next request, if any."""

    state: Mapping[str, Any]
    ask: Ask | None = None


class KindSettings(BaseModel):
    """What every kind of source can be told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    allow_hosts: tuple[str, ...] = Field(
        (),
        description="Hosts (`name` or `name:port`) that answers may lead to besides the source's own, and that may be "
        "asked although they are not on the public Internet.",
    )

    @field_validator("allow_hosts", mode="before")
    @classmethod
    def _listed(cls, said: object) -> object:
        return hosts_in(said) if isinstance(said, str) else said


class SecretSettings(KindSettings):
    """Settings of a kind that asks with a token, or that signs in with a secret to get one."""

    credential: str = Field("", repr=False, exclude=True, description="Given at run time; never written down.")
    _secret: str = PrivateAttr("")

    @property
    def secret_variable(self) -> str:
        """The variable that holds what to sign in with; "" for a kind that has only tokens."""
        return ""

    @property
    def secret(self) -> str:
        """What to sign in with, "" where the environment holds nothing."""
        return self._secret

    def with_secrets(self, credentials: Mapping[str, str]) -> Self:
        """The settings with what the environment holds under the variables they name."""
        made = self.model_copy(update={"credential": credentials.get(getattr(self, "token_env", ""), "")})
        made._secret = credentials.get(self.secret_variable, "")  # noqa: SLF001  its own
        return made


class Plan(Protocol):
    """Leads one crawl of one source from its stored cursor.

    A plan may name how its requests get a token, in `sign_in` (a `signin.SignIn`, None for none).
    A plan may name the turns whose refusals (4xx) come to `after` as a page with a problem: `hears_refusals`.
    """

    def first(self, state: Mapping[str, Any]) -> Ask:
        """The first request of a crawl."""
        ...

    def after(self, ask: Ask, state: Mapping[str, Any], page: Page) -> Step:
        """What to keep and to ask once a page is understood. Raises SourceError where the source closed its door."""
        ...


class MakePlan(Protocol):
    """Makes the plan of one source from its checked settings."""

    def __call__(self, source: str, settings: Any) -> Plan:
        """The plan of that source."""
        ...


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of source: how it is set, asked and read."""

    name: str
    parse: Parser
    plan: MakePlan
    settings: type[KindSettings]
    query: str  #: names the one question this kind asks, as part of the cursor's key
    posts_as: str = ""  #: the platform that its posts are of, where it is another's
    streams: bool = False  #: it is listened to, not asked page by page

    @property
    def platform(self) -> str:
        """The platform that the ids of its posts are made with."""
        return self.posts_as or self.name
