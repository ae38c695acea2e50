"""The kinds of source there are. A new one is a folder beside the others and a line here."""

from typing import Any

from pydantic import ValidationError

from claimwatch.errors import SourceError
from claimwatch.records import Source
from crawlers.bluesky import parse as bluesky_parse
from crawlers.bluesky import spider as bluesky_spider
from crawlers.discourse import parse as discourse_parse
from crawlers.discourse import spider as discourse_spider
from crawlers.facebook import parse as facebook_parse
from crawlers.facebook import spider as facebook_spider
from crawlers.feed import parse as feed_parse
from crawlers.feed import spider as feed_spider
from crawlers.guard import fault_of
from crawlers.jetstream import parse as jetstream_parse
from crawlers.jetstream import spider as jetstream_spider
from crawlers.lemmy import parse as lemmy_parse
from crawlers.lemmy import spider as lemmy_spider
from crawlers.mastodon import parse as mastodon_parse
from crawlers.mastodon import spider as mastodon_spider
from crawlers.page import Parser
from crawlers.plan import Kind, KindSettings
from crawlers.reddit import parse as reddit_parse
from crawlers.reddit import spider as reddit_spider
from crawlers.telegram import parse as telegram_parse
from crawlers.telegram import spider as telegram_spider
from crawlers.vnexpress import parse as vnexpress_parse
from crawlers.vnexpress import spider as vnexpress_spider
from crawlers.youtube import parse as youtube_parse
from crawlers.youtube import spider as youtube_spider

_CRAWLED = (
    Kind("feed", feed_parse.parse, feed_spider.FeedPlan, feed_spider.FeedSettings, "feed"),
    Kind("mastodon", mastodon_parse.parse, mastodon_spider.HashtagPlan, mastodon_spider.MastodonSettings, "hashtag"),
    Kind("bluesky", bluesky_parse.parse, bluesky_spider.BlueskyPlan, bluesky_spider.BlueskySettings, "posts"),
    Kind("reddit", reddit_parse.parse, reddit_spider.SubredditPlan, reddit_spider.RedditSettings, "subreddit"),
    Kind("youtube", youtube_parse.parse, youtube_spider.CommentsPlan, youtube_spider.YoutubeSettings, "comments"),
    Kind("facebook", facebook_parse.parse, facebook_spider.PagePlan, facebook_spider.FacebookSettings, "page"),
    Kind("telegram", telegram_parse.parse, telegram_spider.ChannelPlan, telegram_spider.TelegramSettings, "channel"),
    Kind("discourse", discourse_parse.parse, discourse_spider.ForumPlan, discourse_spider.DiscourseSettings, "posts"),
    Kind("lemmy", lemmy_parse.parse, lemmy_spider.CommunityPlan, lemmy_spider.LemmySettings, "community"),
    Kind(
        "vnexpress",
        vnexpress_parse.parse,
        vnexpress_spider.CommentsPlan,
        vnexpress_spider.VnexpressSettings,
        "comments",
    ),
    Kind(
        "jetstream",
        jetstream_parse.parse,
        jetstream_spider.StreamPlan,
        jetstream_spider.JetstreamSettings,
        "stream",
        posts_as="bluesky",
        streams=True,
    ),
)
#: The kinds that can be crawled.
KINDS: dict[str, Kind] = {kind.name: kind for kind in _CRAWLED}
#: The kinds of answer that can be read.
PARSERS: dict[str, Parser] = {kind.name: kind.parse for kind in _CRAWLED}


def kind_of(source: Source) -> Kind:
    """The kind of a source; SourceError where there is none of that name."""
    if source.kind not in KINDS:
        reason = f"there is no kind {source.kind!r}: use one of {', '.join(KINDS)}"
        raise SourceError(source.name, reason, permanent=True)
    return KINDS[source.kind]


def checked_settings(source: Source) -> Any:
    """The source's settings, checked by its kind; SourceError that names the key at fault."""
    shape: type[KindSettings] = kind_of(source).settings
    if "credential" in source.settings:
        raise SourceError(source.name, "setting `credential`: secrets come from the environment only", permanent=True)
    try:
        settings = shape.model_validate(dict(source.settings))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        known = ", ".join(shape.model_fields)
        message = f"unknown key; known here: {known}" if first["type"] == "extra_forbidden" else first["msg"]
        raise SourceError(source.name, f"setting `{key}`: {message}", permanent=True) from error
    for key in ("url", "base_url"):
        address = getattr(settings, key, "")
        if address and (fault := fault_of(address, settings.allow_hosts)):
            raise SourceError(source.name, f"setting `{key}`: {fault}", permanent=True)
    return settings
