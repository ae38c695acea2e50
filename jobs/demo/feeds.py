"""The sample network's articles as its three publishers serve them: RSS, Atom and JSON Feed."""

import json
from collections.abc import Iterable
from datetime import datetime
from email.utils import format_datetime
from html import escape

from jobs.demo.post import FEED_HOSTS, DemoPost


def rss(posts: Iterable[DemoPost]) -> bytes:
    """RSS 2.0 of tinyte, with one empty item such as broken markup leaves."""
    items = "".join(_item(post) for post in posts)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>'
        f"<title>Tin y tế</title><link>https://{FEED_HOSTS['tinyte']}/</link><language>vi</language>"
        f"<description>Synthetic.</description>\n{items}<item></item>\n</channel></rss>\n"
    ).encode()


def atom(posts: Iterable[DemoPost]) -> bytes:
    """Atom 1.0 of healthdesk; some links are relative to its xml:base."""
    site = f"https://{FEED_HOSTS['healthdesk']}"
    listed = list(posts)
    updated = listed[0].at if listed else None
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:base="{site}/" xml:lang="en">'
        f'<title>Health desk</title><id>{site}/</id><link href="{site}/"/>'
        f"<updated>{_iso(updated) if updated else ''}</updated>\n{''.join(map(_entry, listed))}</feed>\n"
    ).encode()


def json_feed(posts: Iterable[DemoPost]) -> bytes:
    """JSON Feed 1.1 of the blog."""
    site = f"https://{FEED_HOSTS['blog']}"
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Blog xóm",
        "home_page_url": f"{site}/",
        "language": "vi",
        "items": [
            {
                "id": post.uri,
                "url": post.uri,
                "title": post.title,
                "content_text": post.text,
                "language": post.language,
                "date_published": _iso(post.at),
            }
            for post in posts
        ],
    }
    return json.dumps(feed, ensure_ascii=False, indent=1).encode()


def _iso(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _item(post: DemoPost) -> str:
    link = "" if post.traps.get("link") == "none" else f"<link>{post.uri}</link><guid>{post.uri}</guid>"
    written = post.traps.get("dated", format_datetime(post.at))
    date = f"<pubDate>{escape(written)}</pubDate>" if written else ""
    return (
        f"<item><title>{escape(post.title)}</title>{link}{date}<dc:creator>Ban biên tập</dc:creator>"
        f"<description><![CDATA[<p>{escape(post.text)}</p>]]></description></item>\n"
    )


def _entry(post: DemoPost) -> str:
    link = post.path if post.traps.get("link") == "relative" else post.uri
    return (
        f'<entry><title>{escape(post.title)}</title><link href="{link}"/><id>{post.uri}</id>'
        f"<published>{_iso(post.at)}</published><updated>{_iso(post.at)}</updated>"
        f'<content type="html">{escape(f"<p>{escape(post.text)}</p>")}</content></entry>\n'
    )
