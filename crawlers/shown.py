"""A parsed page as JSON for `claimwatch parse`: ids keyed, authors left out, links only where they name nobody."""

from typing import Any

from claimwatch.keys import Keys
from crawlers.page import Dropped, Found, Page


def shown_page(page: Page, keys: Keys, platform: str) -> dict[str, Any]:
    """The page's posts, dropped, rejected, next and problems, with nothing in them that names a person."""
    return {
        "posts": [_post(found, keys) for found in page.posts],
        "dropped": [_dropped(one, keys, platform) for one in (*page.dropped, *page.rejected)],
        "next": page.next,
        "watermark": dict(page.watermark),
        "problems": list(page.problems),
    }


def _post(found: Found, keys: Keys) -> dict[str, Any]:
    return {
        "id": keys.post_id(found.platform, found.uri),
        "platform": found.platform,
        "created_at": found.created_at,
        "edited_at": found.edited_at,
        "language": found.language,
        "title": found.title,
        "text": found.text,
        "url": found.url if found.url_is_public else None,
        "reply_to": keys.post_id(found.platform, found.reply_to) if found.reply_to else None,
        "repost_of": keys.post_id(found.platform, found.repost_of) if found.repost_of else None,
        "has_author": bool(found.author),
        "likes": found.likes,
        "shares": found.shares,
        "replies": found.replies,
        "views": found.views,
    }


def _dropped(one: Dropped, keys: Keys, platform: str) -> dict[str, Any]:
    return {"id": keys.post_id(platform, one.uri) if one.uri else None, "reason": one.reason}
