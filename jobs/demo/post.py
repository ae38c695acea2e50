"""One synthetic post of the sample network, with the names it has there. Nobody in it exists."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

#: Invented hosts, never the loopback port: a post's id is made of its address and must be the same everywhere.
HOME = "mang-mau.example"
FEED_HOSTS = {"tinyte": "www.tinyte.example", "healthdesk": "www.healthdesk.example", "blog": "blog-xom.example"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An invented account of an invented server."""

    name: str
    shown: str
    host: str
    language: str

    @property
    def acct(self) -> str:
        """The name as the home server writes it: bare for its own people."""
        return self.name if self.host == HOME else f"{self.name}@{self.host}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPost:
    """A post as written for the demo. `traps` are the oddities it is served with, by name, such as `visibility`."""

    key: str  #: unique: file and number, with -c1 for its first copy and -t1 for its first twisted copy
    network: str  #: mastodon:suckhoe, mastodon:health, feed:tinyte, feed:healthdesk or feed:blog
    at: datetime  #: aware UTC
    account: Account
    title: str  #: "" on Mastodon
    text: str
    language: str
    kind: str  #: a kind of the corpus, or junk, short, emoji, boost
    claim: str | None
    likes: int
    shares: int
    replies: int
    copy_of: str = ""  #: the key of the post that this one repeats, word for word or nearly
    twist_of: str = ""  #: the key of the rumour that this one refutes in nearly the same words
    traps: Mapping[str, Any] = field(default_factory=dict)

    @property
    def platform(self) -> str:
        """The kind of source it is crawled from."""
        return self.network.partition(":")[0]

    @property
    def place(self) -> str:
        """The hashtag or the feed."""
        return self.network.partition(":")[2]

    @property
    def native_id(self) -> str:
        """A snowflake, as Mastodon makes them: milliseconds, then 16 bits of the post itself."""
        low = int.from_bytes(hashlib.sha256(self.key.encode()).digest()[:2])
        return str((int(self.at.timestamp() * 1000) << 16) + low)

    @property
    def uri(self) -> str:
        """The canonical address that the parsers find."""
        if self.platform == "mastodon":
            return f"https://{self.account.host}/users/{self.account.name}/statuses/{self.native_id}"
        if self.traps.get("link") == "none":
            whole = f"{self.title}\n\n{self.text}"
            return f"feed:sha256:{hashlib.sha256(whole.encode()).hexdigest()}"
        return f"https://{FEED_HOSTS[self.place]}{self.path}"

    @property
    def path(self) -> str:
        """An article's place on its site."""
        return f"/{self.at:%Y/%m}/{self.key}.html"

    @property
    def places(self) -> tuple[str, ...]:
        """Every hashtag (or the one feed) that shows it."""
        also = self.traps.get("also")
        return (self.place, also) if also else (self.place,)

    def is_shown(self, until: datetime) -> bool:
        """Whether the network shows it just before `until`: made, arrived, and its account not deleted."""
        arrived, gone = self.traps.get("arrives", self.at), self.traps.get("gone")
        return self.at < until and arrived < until and not (gone and gone < until)

    def edited_at(self, until: datetime) -> datetime | None:
        """When it was edited, None where that has not happened before `until`."""
        at: datetime | None = self.traps.get("edited")
        return at if at and at < until else None

    def words(self, until: datetime) -> str:
        """Its text just before `until`."""
        return str(self.traps["becomes"]) if self.edited_at(until) else self.text
