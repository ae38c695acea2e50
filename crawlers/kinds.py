"""The kinds of source there are. A new one is a folder beside the others and a line here."""

from typing import Any

from pydantic import ValidationError

from claimwatch.errors import SourceError
from claimwatch.records import Source
from crawlers.feed import parse as feed_parse
from crawlers.feed import spider as feed_spider
from crawlers.mastodon import parse as mastodon_parse
from crawlers.mastodon import spider as mastodon_spider
from crawlers.plan import Kind, KindSettings

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            name="feed",
            parse=feed_parse.parse,
            plan=feed_spider.FeedPlan,
            settings=feed_spider.FeedSettings,
            query="feed",
        ),
        Kind(
            name="mastodon",
            parse=mastodon_parse.parse,
            plan=mastodon_spider.HashtagPlan,
            settings=mastodon_spider.MastodonSettings,
            query="hashtag",
        ),
    )
}


def kind_of(source: Source) -> Kind:
    """The kind of a source; SourceError where there is none of that name."""
    if source.kind not in KINDS:
        reason = f"there is no kind {source.kind!r}: use one of {', '.join(KINDS)}"
        raise SourceError(source.name, reason, permanent=True)
    return KINDS[source.kind]


def checked_settings(source: Source) -> Any:
    """The source's settings, checked by its kind; SourceError that names the key at fault."""
    shape: type[KindSettings] = kind_of(source).settings
    try:
        return shape.model_validate(dict(source.settings))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        known = ", ".join(shape.model_fields)
        message = f"unknown key; known here: {known}" if first["type"] == "extra_forbidden" else first["msg"]
        raise SourceError(source.name, f"setting `{key}`: {message}", permanent=True) from error
