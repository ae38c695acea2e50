"""The sample network's posts as a Mastodon server says them: JSON of a status, its content as HTML."""

import html
import re
from datetime import datetime
from typing import Any

from jobs.demo.post import HOME, Account, DemoPost

_LINK = re.compile(r"https?://\S+")
_MENTION = re.compile(r"@(\w+)@([\w.-]+\w)")
_EMOJI = re.compile(r":(\w{2,}):")
#: Letters of a link that Mastodon shows before it cuts.
_SHOWN = 30


def status_of(post: DemoPost, until: datetime, boosted: DemoPost | None = None) -> dict[str, Any]:
    """The status as served just before `until`; `boosted` is the post inside a boost."""
    text, traps = post.words(until), post.traps
    edited = post.edited_at(until)
    return {
        "id": post.native_id,
        "created_at": _time(post.at),
        "in_reply_to_id": None,
        "in_reply_to_account_id": None,
        "sensitive": "warning" in traps,
        "spoiler_text": traps.get("warning", ""),
        "visibility": traps.get("visibility", "public"),
        "language": traps.get("declared", post.language) or None,
        "uri": f"{post.uri}/activity" if boosted else post.uri,
        "url": f"https://{post.account.host}/@{post.account.name}/{post.native_id}",
        "replies_count": post.replies,
        "reblogs_count": post.shares,
        "favourites_count": post.likes,
        "edited_at": _time(edited) if edited else None,
        "content": "" if boosted else _content(text, post.places),
        "reblog": status_of(boosted, until) if boosted else None,
        "account": _account(post.account),
        "media_attachments": [_media(post, each) for each in traps.get("media", ())],
        "mentions": [_mention(name, host) for name, host in _MENTION.findall(text)],
        "tags": [{"name": tag, "url": f"https://{HOME}/tags/{tag}"} for tag in post.places],
        "emojis": [_emoji(code) for code in _EMOJI.findall(text)],
        "card": None,
        "poll": _poll(post) if "poll" in traps else None,
    }


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.000Z"


def _content(text: str, tags: tuple[str, ...]) -> str:
    """As Mastodon renders what was typed, the hashtags in a paragraph of their own; a bare picture has neither."""
    if not text:
        return ""
    typed = "".join(f"<p>{_marked_up(part)}</p>" for part in text.split("\n\n") if part)
    links = (
        f'<a href="https://{HOME}/tags/{tag}" class="mention hashtag" rel="tag">#<span>{tag}</span></a>' for tag in tags
    )
    return f"{typed}<p>{' '.join(links)}</p>"


def _marked_up(text: str) -> str:
    pieces, start = [], 0
    for found in re.finditer(f"{_LINK.pattern}|{_MENTION.pattern}", text):
        pieces += [_escaped(text[start : found.start()]), _anchor(found)]
        start = found.end()
    return "".join([*pieces, _escaped(text[start:])])


def _escaped(text: str) -> str:
    return html.escape(text).replace("&#x27;", "&#39;").replace("\n", "<br />")


def _anchor(found: re.Match[str]) -> str:
    if found[1]:
        address = f"https://{found[2]}/@{found[1]}"
        anchor = f'<a href="{address}" class="u-url mention">@<span>{found[1]}</span></a>'
        return f'<span class="h-card" translate="no">{anchor}</span>'
    scheme, _, rest = found[0].partition("://")
    shown, hidden = _escaped(rest[:_SHOWN]), _escaped(rest[_SHOWN:])
    spans = (
        f'<span class="invisible">{scheme}://</span>'
        f'<span class="{"ellipsis" if hidden else ""}">{shown}</span><span class="invisible">{hidden}</span>'
    )
    return f'<a href="{_escaped(found[0])}" target="_blank" rel="nofollow noopener" translate="no">{spans}</a>'


def _account(account: Account) -> dict[str, Any]:
    return {
        "id": _number_of(account),
        "username": account.name,
        "acct": account.acct,
        "display_name": account.shown,
        "locked": False,
        "bot": False,
        "discoverable": True,
        "indexable": account.name != "khep_cua_som",
        "noindex": False,
        "group": False,
        "note": "<p>#nobots</p>" if account.name == "shy_heron" else "<p>Invented for a demonstration.</p>",
        "url": f"https://{account.host}/@{account.name}",
        "uri": f"https://{account.host}/users/{account.name}",
        "followers_count": 0,
        "emojis": [],
        "fields": [],
    }


def _number_of(account: Account) -> str:
    """An id of the account: its name, read as a number."""
    return str(int.from_bytes(account.name.encode()) % 10**15)


def _mention(name: str, host: str) -> dict[str, str]:
    account = Account(name=name, shown=name, host=host, language="")
    url = f"https://{host}/@{name}"
    return {"id": _number_of(account), "username": name, "acct": account.acct, "url": url}


def _emoji(code: str) -> dict[str, Any]:
    picture = f"https://{HOME}/emoji/{code}.png"
    return {"shortcode": code, "url": picture, "static_url": picture, "visible_in_picker": True}


def _media(post: DemoPost, description: str) -> dict[str, Any]:
    picture = f"https://{HOME}/media/{post.key}.jpg"
    return {
        "id": post.native_id,
        "type": "image",
        "url": picture,
        "preview_url": picture,
        "description": description or None,
    }


def _poll(post: DemoPost) -> dict[str, Any]:
    options = [{"title": title, "votes_count": 3 + n} for n, title in enumerate(post.traps["poll"])]
    return {
        "id": post.native_id,
        "expires_at": None,
        "expired": False,
        "multiple": False,
        "votes_count": sum(int(option["votes_count"]) for option in options),
        "options": options,
        "emojis": [],
    }
