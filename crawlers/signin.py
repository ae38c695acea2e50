"""Access tokens that a crawl gets and renews by itself. They live in memory alone: no cursor, log or file has them."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlencode

from crawlers.answers import read_json
from crawlers.outcomes import count_of, text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a server gave for a sign-in."""

    access: str = field(repr=False)
    seconds: float  #: how long it lasts
    renewal: str = field(default="", repr=False)  #: what it can be renewed with, "" where one signs in anew


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenAsk:
    """The request for a token. Always a POST."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)


class SignIn(Protocol):
    """How one kind of server gives tokens. Pure."""

    @property
    def whose(self) -> str:
        """Stands for server, account and secret, and tells none of them: crawls with the same share a token."""
        ...

    @property
    def advice(self) -> str:
        """What the operator should check where signing in is refused."""
        ...

    def ask(self, held: Token | None) -> TokenAsk:
        """The request for a first token, or for one in place of `held`."""
        ...

    def read(self, body: bytes) -> Token | None:
        """The token of an answer, None where it holds none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials:
    """OAuth 2 for a program of its own (Reddit): an id and a secret."""

    url: str
    client: str
    secret: str = field(repr=False)
    secret_env: str

    @property
    def whose(self) -> str:
        """See SignIn."""
        return _digest(self.url, self.client, self.secret)

    @property
    def advice(self) -> str:
        """See SignIn."""
        return f"check client_id and {self.secret_env}"

    def ask(self, held: Token | None) -> TokenAsk:
        """A token without renewal: asked for anew each time."""
        del held
        pair = base64.b64encode(f"{self.client}:{self.secret}".encode()).decode()
        headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/x-www-form-urlencoded"}
        return TokenAsk(url=self.url, headers=headers, body=urlencode({"grant_type": "client_credentials"}).encode())

    def read(self, body: bytes) -> Token | None:
        """See SignIn."""
        answer = _object(body)
        access = text_of(answer, "access_token")
        return Token(access=access, seconds=float(count_of(answer, "expires_in") or 3600)) if access else None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppPassword:
    """A session of the AT Protocol (Bluesky): a handle and an app password, then a renewal."""

    base: str
    identifier: str
    password: str = field(repr=False)
    password_env: str

    @property
    def whose(self) -> str:
        """See SignIn."""
        return _digest(self.base, self.identifier, self.password)

    @property
    def advice(self) -> str:
        """See SignIn."""
        return f"check identifier and {self.password_env}, which takes an app password"

    def ask(self, held: Token | None) -> TokenAsk:
        """createSession, or refreshSession with what the last one gave."""
        if held is not None and held.renewal:
            headers = {"Authorization": f"Bearer {held.renewal}"}
            return TokenAsk(url=f"{self.base}/xrpc/com.atproto.server.refreshSession", headers=headers)
        body = json.dumps({"identifier": self.identifier, "password": self.password}).encode()
        headers = {"Content-Type": "application/json"}
        return TokenAsk(url=f"{self.base}/xrpc/com.atproto.server.createSession", headers=headers, body=body)

    def read(self, body: bytes) -> Token | None:
        """See SignIn. Access lasts about two hours; a server that ends it sooner says ExpiredToken."""
        answer = _object(body)
        access = text_of(answer, "accessJwt")
        return Token(access=access, seconds=6_600, renewal=text_of(answer, "refreshJwt")) if access else None


def _object(body: bytes) -> object:
    try:
        return read_json(body, {})
    except ValueError:
        return None


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()
