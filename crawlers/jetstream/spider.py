"""How the stream is listened to: which server, in which form, and from where on."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from pydantic import BeforeValidator, Field

from crawlers.bluesky.record import POST
from crawlers.page import Page
from crawlers.plan import Ask, KindSettings, Step
from crawlers.walk import number

_HOSTS = {"v2": "wss://jetstream.us-east.bsky.network", "v1": "wss://jetstream2.us-east.bsky.network"}
_METHOD = "network.bsky.jetstream.subscribeEvents"
#: Microseconds that a stream of the first form is taken up before its cursor: its places are not strictly in order.
OVERLAP = 5_000_000


def _listed(said: object) -> object:
    return tuple(one.strip() for one in said.split(",") if one.strip()) if isinstance(said, str) else said


_List = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class JetstreamSettings(KindSettings):
    """The stream of all public posts of Bluesky; kept are those with chosen words or resembling a claim."""

    wire: Literal["v2", "v1"] = Field("v2", description="The form of the stream: v2, or v1 of older servers.")
    base_url: str = Field(
        "",
        pattern=r"^(wss?://.+)?$",
        description=f"The server; left empty, {_HOSTS['v2']} or, for v1, {_HOSTS['v1']}.",
    )
    words: _List = Field((), description="Posts with one of these words or phrases are kept, with or without accents.")
    claims: bool = Field(
        True, description="Whether posts that hold three quarters of the words of an active claim's phrasing are kept."
    )
    languages: _List = Field((), description="Only posts in these languages (vi, en …) are kept; empty: in all.")
    minutes: float = Field(
        25, gt=0, le=1440, description="How long one crawl listens; the next goes on from where it ended."
    )
    silence: float = Field(60, gt=0, le=3600, description="Seconds without a message after which it connects anew.")
    compress: bool = Field(True, description="Whether messages travel packed.")
    dictionary_url: str = Field(
        "",
        pattern=r"^(https?://.+)?$",
        description="Where v1's zstd dictionary lies; empty: v1 packs by permessage-deflate. v2 servers give theirs.",
    )


class StreamPlan:
    """State: `seq` (v2) with the `server` that counts so, `time_us`, and `gone`: pseudonyms of accounts to forget."""

    def __init__(self, source: str, settings: JetstreamSettings) -> None:
        self.source = source
        self.settings = settings
        self.base = (settings.base_url or _HOSTS[settings.wire]).rstrip("/")

    @property
    def dictionary_url(self) -> str:
        """Where the dictionary is, "" where messages do not travel packed with one."""
        if not self.settings.compress:
            return ""
        origin = self.base.replace("ws", "http", 1)
        return self.settings.dictionary_url if self.is_v1 else f"{origin}/xrpc/network.bsky.jetstream.getZstdDictionary"

    @property
    def is_v1(self) -> bool:
        """Whether the stream is of the first form."""
        return self.settings.wire == "v1"

    def first(self, state: Mapping[str, Any]) -> Ask:
        """The stream from where the last crawl stopped, else from now on."""
        return self.subscription(state)

    def subscription(self, state: Mapping[str, Any], dictionary: int = 0) -> Ask:
        """The stream, packed with the dictionary of this number; 0 for none."""
        if self.is_v1:
            query: dict[str, Any] = {"wantedCollections": POST} | ({"compress": "true"} if dictionary else {})
            path = "subscribe"
        else:
            query = {"collections": POST, "kinds": ["commit", "account"]}
            query |= {"zstdDictionary": dictionary} if dictionary else {}
            path = f"xrpc/{_METHOD}"
        cursor = self._cursor(state)
        query |= {"cursor": cursor} if cursor else {}
        return Ask(url=f"{self.base}/{path}?{urlencode(query, doseq=True)}", turn="stream")

    def after(self, ask: Ask, state: Mapping[str, Any], page: Page) -> Step:
        """The cursor once a page is kept: the place of its last event, never an earlier one."""
        del ask
        reached = {key: number(page.watermark.get(key)) for key in ("seq", "time_us")}
        rest = {key: value for key, value in state.items() if key != "seq" or not self.is_v1}
        return Step(state={**rest, **{key: place for key, place in reached.items() if place}, "server": self.base})

    def _cursor(self, state: Mapping[str, Any]) -> int:
        """A seq counts at its own server alone; the time is good for all."""
        seq, time_us = number(state.get("seq")), number(state.get("time_us"))
        if not self.is_v1 and seq and state.get("server") == self.base:
            return seq
        return max(time_us - OVERLAP, 1) if time_us else 0
