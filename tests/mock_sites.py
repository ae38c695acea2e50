"""The sites of the mock network, one class per kind of source, each paging as that platform does."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from random import Random
from typing import Any
from xml.sax.saxutils import escape as xml

from mock_network import Answer, Books, Shown, Site, Thing, as_json, word

_PER_PAGE = 7
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


class MastodonSite(Site):
    """A hashtag timeline. Posts of other servers arrive late; a neighbour shows the same posts under other ids."""

    kind = "mastodon"
    fates = ("dropped(private)", "dropped(unlisted)", "dropped(opted_out)", "dropped(empty)", "rejected(no_uri)")
    late_hours = 4.0

    def __init__(self, name: str, random: Random, neighbour: "MastodonSite | None" = None) -> None:
        super().__init__(name, random, neighbour.books if neighbour else Books())
        self.neighbour = neighbour

    def settings(self) -> dict[str, Any]:
        return {"base_url": self.base, "hashtag": "suckhoe"}

    def listed(self) -> list[Thing]:
        shared = [thing for thing in self.neighbour.things if thing.number % 2] if self.neighbour else []
        return sorted((thing for thing in (*self.things, *shared) if not thing.gone), key=self._id)

    def page(self, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        if path.endswith("/instance"):
            open_ = {"local": "disabled", "remote": "disabled"}
            rules = {"timelines_access": {"live_feeds": open_, "hashtag_feeds": {"local": "public"}}}
            return as_json({"version": "4.6.0", "configuration": rules})
        things = self.listed()
        if "min_id" in query:
            page = [thing for thing in things if self._id(thing) > int(query["min_id"])][:_PER_PAGE]
        else:
            below = int(query.get("max_id", "9" * 30))
            page = [thing for thing in things if self._id(thing) < below][-_PER_PAGE:]
        page.reverse()
        older = f"{self.base}{path}?limit=40&max_id={self._id(page[-1])}" if page else ""
        link = {"Link": f'<{older}>; rel="next"'} if older else {}
        return as_json([self._status(thing) for thing in page], self.shown(page), **link)

    def _id(self, thing: Thing) -> int:
        milliseconds = int(thing.at.timestamp() * 1000)
        return (milliseconds << 16) + thing.number * 2 + (thing in self.things)

    def _status(self, thing: Thing) -> dict[str, Any]:
        hidden = {"dropped(private)": "private", "dropped(unlisted)": "unlisted"}
        uri = f"https://mang.example/users/an/statuses/{thing.mark}"
        account = {"id": "1", "acct": "an@mang.example", "uri": "https://mang.example/users/an"}
        return {
            "id": str(self._id(thing)),
            **({} if thing.fate == "rejected(no_uri)" else {"uri": uri, "url": uri}),
            "created_at": thing.told or _iso(thing.at),
            "edited_at": _iso(thing.edited) if thing.edited else None,
            "visibility": hidden.get(thing.fate, "public"),
            "content": "" if thing.fate == "dropped(empty)" else f"<p>{thing.text}</p>",
            "account": account | {"indexable": thing.fate != "dropped(opted_out)"},
            "favourites_count": self.random.randint(0, 50),
        }


class FeedSite(Site):
    """An RSS feed with older pages (RFC 5005) and an ETag. Asked behind its last page it says 404."""

    kind = "feed"
    media = "application/rss+xml"
    fates = ("dropped(empty)", "dropped(old)", "rejected(ghost)")
    window = 90  #: articles that it still shows

    def settings(self) -> dict[str, Any]:
        return {"url": f"{self.base}/rss"}

    def wrong_times(self) -> tuple[str, ...]:
        ahead = (self.now + timedelta(hours=20)).strftime("%a, %d %b %Y %H:%M:%S GMT")
        return (ahead, "Thu, 01 Jan 0001 00:00:00 GMT", "Mon, 05 May 3001 00:00:00 GMT", "gestern")

    def pages(self) -> list[list[Thing]]:
        """What it shows, newest first."""
        things = self.listed()[::-1][: self.window]
        return [things[at : at + 12] for at in range(0, len(things), 12)] or [[]]

    def page(self, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        pages, number = self.pages(), int(query.get("page", "1"))
        tag = '"' + "-".join(word(sum(thing.version for thing in part) + len(part)) for part in pages) + '"'
        tag += f"{len(self.things)}"
        if number == 1 and headers.get("If-None-Match") == tag:
            return Answer(status=304, headers={"ETag": tag})
        if number > len(pages):
            return Answer(status=404, body=b"<html><title>404 Not Found</title></html>")
        more = f"{self.base}{path}?page={number + 1}" if number < len(pages) else ""
        return self.render(pages[number - 1], more, tag)

    def render(self, page: Sequence[Thing], more: str, tag: str) -> Answer:
        """One page of the feed."""
        items = "".join(map(self._item, page))
        link = f'<atom:link rel="next" href="{more}"/>' if more else ""
        body = (
            '<?xml version="1.0" encoding="utf-8"?><rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom">'
            f"<channel><title>Tin</title><link>https://tin.example/</link>{link}{items}</channel></rss>"
        )
        return Answer(body=body.encode(), headers={"ETag": tag, "Content-Type": self.media}, shown=self.shown(page))

    def _item(self, thing: Thing) -> str:
        if thing.fate == "rejected(ghost)":
            return "<item><category>x</category></item>"
        link = f"https://tin.example/{self.name}/bai-{thing.mark}"
        at = thing.at - timedelta(days=90) if thing.fate == "dropped(old)" else thing.at
        date = thing.told if thing.told and not thing.fate else at.strftime("%a, %d %b %Y %H:%M:%S GMT")
        body = "" if thing.fate == "dropped(empty)" else f"<description>{xml(f'<p>{thing.text}</p>')}</description>"
        return f"<item><link>{link}</link><guid>{link}</guid>{body}<pubDate>{date}</pubDate></item>"


class JsonFeedSite(FeedSite):
    """A JSON Feed that leads on by next_url."""

    media = "application/json"

    def settings(self) -> dict[str, Any]:
        return {"url": f"{self.base}/feed.json"}

    def render(self, page: Sequence[Thing], more: str, tag: str) -> Answer:
        feed = {"version": "https://jsonfeed.org/version/1.1", "title": "Tin", "home_page_url": "https://vuon.example/"}
        items = [self._object(thing) for thing in page]
        return as_json(feed | {"items": items} | ({"next_url": more} if more else {}), self.shown(page), ETag=tag)

    def _object(self, thing: Thing) -> dict[str, Any]:
        if thing.fate == "rejected(ghost)":
            return {"tags": []}
        link = f"https://vuon.example/{self.name}/{thing.mark}"
        at = thing.at - timedelta(days=90) if thing.fate == "dropped(old)" else thing.at
        date = thing.told if thing.told and not thing.fate else _iso(at)
        words = {} if thing.fate == "dropped(empty)" else {"content_html": f"<p>{thing.text}</p>"}
        edited = {"date_modified": _iso(thing.edited)} if thing.edited else {}
        return {"id": link, "url": link, "date_published": date, **words, **edited}


class BlueskySite(Site):
    """The feed of one account, with reposts, opaque cursors and now and then an empty page that is not the last."""

    kind = "bluesky"
    edits = False
    fates = ("dropped(opted_out)", "dropped(empty)", "rejected(no_record)", "dropped(hidden)")
    late_hours = 4.0

    def settings(self) -> dict[str, Any]:
        return {"base_url": self.base, "actors": ["vuon.example"]}

    def wrong_times(self) -> tuple[str, ...]:
        return ((self.now + timedelta(hours=20)).isoformat(), "3001-05-05T00:00:00Z")

    def page(self, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        before = query.get("cursor", "9").removeprefix("~")
        rows = sorted(self.listed(), key=self._cursor, reverse=True)
        page = [thing for thing in rows if self._cursor(thing) < before][:_PER_PAGE]
        if "~" not in query.get("cursor", "~") and self.random.random() < 0.1:
            return as_json({"feed": [], "cursor": f"~{before}"})
        shown: list[Shown] = []
        for thing in page:
            shown += [(None, "dropped(repost)")] if self._is_repost(thing) else []
            shown += self.shown([thing])
        cursor = {"cursor": self._cursor(page[-1])} if page else {}
        return as_json({"feed": [self._row(thing) for thing in page], **cursor}, shown)

    def _is_repost(self, thing: Thing) -> bool:
        return thing.number % 9 == 0 and not thing.fate

    def _cursor(self, thing: Thing) -> str:
        return f"{_iso(thing.at)}::{thing.number:06d}"

    def _row(self, thing: Thing) -> dict[str, Any]:
        did = "did:plc:vuon" if not self._is_repost(thing) else "did:plc:khac"
        words = "" if thing.fate == "dropped(empty)" else thing.text
        record = {"$type": "app.bsky.feed.post", "createdAt": thing.told or _iso(thing.at), "text": words}
        label = {"dropped(opted_out)": "!no-unauthenticated", "dropped(hidden)": "!hide"}.get(thing.fate)
        post = {
            "uri": f"at://{did}/app.bsky.feed.post/{thing.mark}",
            "author": {"did": did, "handle": "vuon.example"},
            "record": {} if thing.fate == "rejected(no_record)" else record,
            "indexedAt": _iso(thing.at),
            "labels": [{"src": did, "val": label}] if label else [],
            "likeCount": self.random.randint(0, 50),
        }
        reason = {"$type": "app.bsky.feed.defs#reasonRepost", "uri": "at://x/y/z", "indexedAt": _iso(thing.at)}
        return {"post": post, "reason": reason} if self._is_repost(thing) else {"post": post}


class DiscourseSite(Site):
    """A forum's newest posts, up to and with a number."""

    kind = "discourse"
    fates = ("dropped(service)", "dropped(private)", "dropped(empty)", "rejected(no_text)")
    shows_gone = True

    def settings(self) -> dict[str, Any]:
        return {"base_url": self.base}

    def page(self, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        below = int(query.get("before", "999999999"))
        page = [thing for thing in self.listed() if thing.number <= below][-_PER_PAGE:][::-1]
        return as_json({"latest_posts": [self._post(thing) for thing in page]}, self.shown(page))

    def _post(self, thing: Thing) -> dict[str, Any]:
        cooked = {"cooked": "" if thing.fate == "dropped(empty)" else f"<p>{thing.text}</p>"}
        return {
            "id": thing.number,
            "topic_id": 70 + thing.number % 3,
            "post_number": thing.number + 1,
            "post_type": {"dropped(service)": 3, "dropped(private)": 4}.get(thing.fate, 1),
            "created_at": thing.told or _iso(thing.at),
            "updated_at": _iso(thing.edited or thing.at),
            "version": thing.version,
            "user_deleted": thing.gone,
            "username": "vuon",
            **({} if thing.fate == "rejected(no_text)" else cooked),
        }


class LemmySite(Site):
    """A community: posts by token, comments by page number."""

    kind = "lemmy"
    fates = ("dropped(private)", "dropped(opted_out)", "rejected(no_uri)", "rejected(no_text)")
    shows_gone = True

    def settings(self) -> dict[str, Any]:
        return {"base_url": self.base, "community": "suckhoe"}

    def page(self, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        is_posts = "/post/" in path
        rows = [thing for thing in self.listed() if (thing.number % 2 == 0) == is_posts][::-1]
        if is_posts:
            below = int(query.get("page_cursor", "999999999"))
            page = [thing for thing in rows if thing.number < below][:_PER_PAGE]
            token = {"next_page": str(page[-1].number)} if page else {}
            return as_json({"posts": [self._view(thing, "post") for thing in page], **token}, self.shown(page))
        start = (int(query.get("page", "1")) - 1) * _PER_PAGE
        page = rows[start : start + _PER_PAGE]
        return as_json({"comments": [self._view(thing, "comment") for thing in page]}, self.shown(page))

    def _view(self, thing: Thing, kind: str) -> dict[str, Any]:
        key = "name" if kind == "post" else "content"
        view = {
            "id": thing.number,
            "ap_id": f"https://vuon.example/{kind}/{thing.number}",
            "published": thing.told or _iso(thing.at),
            "updated": _iso(thing.edited) if thing.edited else None,
            "deleted": thing.gone,
            key: thing.text,
        }
        view.pop({"rejected(no_uri)": "ap_id", "rejected(no_text)": key}.get(thing.fate, ""), None)
        closed = {"visibility": "Private"} if thing.fate == "dropped(private)" else {}
        bio = "#noindex" if thing.fate == "dropped(opted_out)" else ""
        creator = {"name": "an", "actor_id": "https://vuon.example/u/an", "bio": bio}
        return {kind: view, "community": {"name": "suckhoe", **closed}, "creator": creator, "counts": {"upvotes": 3}}


class RedditSite(Site):
    """A subreddit behind a token: `before` counts from an anchor, which may be deleted and then leads nowhere."""

    kind = "reddit"
    credential = "CLAIMWATCH_REDDIT_TOKEN"
    fates = ("dropped(advert)", "dropped(private)", "dropped(opted_out)", "rejected(no_text)", "dropped(account)")

    def settings(self) -> dict[str, Any]:
        return {"base_url": self.base, "subreddit": "suckhoe"}

    def page(self, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        if headers.get("Authorization") != "Bearer a token of nobody":
            return Answer(status=403, body=b'{"message": "Forbidden", "error": 403}')
        posts = path.endswith("/new")
        kind = "t3" if posts else "t1"
        rows = [thing for thing in self.listed() if (thing.number % 2 == 0) == posts][::-1]
        names = [self._name(thing, kind) for thing in rows]
        if "before" in query:
            at = names.index(query["before"]) if query["before"] in names else 0
            page = rows[max(0, at - _PER_PAGE) : at]
        else:
            start = names.index(query["after"]) + 1 if query.get("after") in names else 0
            page = rows[start : start + _PER_PAGE]
        after = self._name(page[-1], kind) if page and page[-1] is not rows[-1] else None
        children = [self._thing(thing, kind) for thing in page]
        return as_json({"kind": "Listing", "data": {"children": children, "after": after}}, self.shown(page))

    def listed(self) -> list[Thing]:
        """Of what was taken away a part vanishes, the rest stays as a stub."""
        return [thing for thing in self.things if not thing.gone or thing.number % 3]

    def _name(self, thing: Thing, kind: str) -> str:
        return f"{kind}_{1_000_000 + thing.number}"

    def _thing(self, thing: Thing, kind: str) -> dict[str, Any]:
        if thing.fate == "dropped(account)":
            return {"kind": "t2", "data": {"name": "vuon"}}
        words = {"title": thing.text, "selftext": ""} if kind == "t3" else {"body": thing.text}
        data = {
            "name": self._name(thing, kind),
            "author_fullname": "t2_zz9",
            "subreddit": "suckhoe",
            "subreddit_type": "private" if thing.fate == "dropped(private)" else "public",
            "created_utc": thing.told or thing.at.timestamp(),
            "edited": thing.edited.timestamp() if thing.edited else False,
            "promoted": thing.fate == "dropped(advert)",
            "is_robot_indexable": thing.fate != "dropped(opted_out)",
            "removed_by_category": "deleted" if thing.gone else None,
            "is_self": True,
            "score": self.random.randint(0, 50),
        }
        return {"kind": kind, "data": data | ({} if thing.fate == "rejected(no_text)" else words)}


class YoutubeSite(Site):
    """The comments of a video: two replies come with their thread, the others are asked; the last page repeats."""

    kind = "youtube"
    credential = "CLAIMWATCH_YOUTUBE_KEY"
    fates = ("dropped(private)", "rejected(no_text)", "dropped(empty)")

    def settings(self) -> dict[str, Any]:
        return {"base_url": self.base, "video": "vuonmuoi001"}

    def wrong_times(self) -> tuple[str, ...]:
        return ("",)  # the server's own clock is the only one

    def add(self, *, at: datetime) -> Thing:
        top = super().add(at=at)
        for _ in range(self.random.choice((0, 0, 0, 2, 5)) if not top.fate else 0):
            reply = super().add(at=at)
            reply.fate = ""
            top.below.append(reply)
        return top

    def change(self) -> None:
        """Edits alone: what goes with a thread that is deleted would hide which replies are still public."""
        recent = [thing for thing in self.things[-8:] if not thing.fate]
        if recent:
            thing = self.random.choice(recent)
            thing.version, thing.edited = thing.version + 1, self.now

    def page(self, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        if headers.get("X-Goog-Api-Key", headers.get("X-goog-api-key")) != "a token of nobody":
            return Answer(status=400, body=b'{"error": {"code": 400, "details": [{"reason": "API_KEY_INVALID"}]}}')
        if path.endswith("/comments"):
            return self._replies(query)
        inner = {id(reply) for thing in self.things for reply in thing.below}
        rows = [thing for thing in self.things if id(thing) not in inner][::-1]
        below = int(query.get("pageToken", "999999999"))
        page = [thing for thing in rows if thing.number < below][:_PER_PAGE] or rows[-_PER_PAGE:]
        shown = [each for thing in page for each in self.shown([thing, *thing.below[:2]])]
        return as_json(self._list([self._thread(thing) for thing in page], str(page[-1].number) if page else ""), shown)

    def _replies(self, query: Mapping[str, str]) -> Answer:
        thread = next(thing for thing in self.things if self._id(thing) == query["parentId"])
        start = int(query.get("pageToken", "0"))
        page = thread.below[start : start + 3]
        more = str(start + 3) if len(thread.below) > start + 3 else ""
        return as_json(self._list([self._comment(each, thread) for each in page], more), self.shown(page))

    def _list(self, items: list[Any], token: str) -> dict[str, Any]:
        more = {"nextPageToken": token} if token else {}
        return {"kind": "youtube#commentThreadListResponse", "items": items, **more}

    def _id(self, thing: Thing) -> str:
        return f"Ugx{thing.number:07d}"

    def _thread(self, thing: Thing) -> dict[str, Any]:
        private = thing.fate == "dropped(private)"
        snippet = {"topLevelComment": self._comment(thing), "isPublic": not private, "videoId": "vuonmuoi001"}
        replies = [self._comment(reply, thing) for reply in thing.below[:2]]
        below = {"replies": {"comments": replies}} if replies else {}
        return {
            "kind": "youtube#commentThread",
            "id": self._id(thing),
            "snippet": snippet | {"totalReplyCount": len(thing.below)},
            **below,
        }

    def _comment(self, thing: Thing, parent: Thing | None = None) -> dict[str, Any]:
        own = self._id(thing)
        words = {} if thing.fate == "rejected(no_text)" else {"textDisplay": f"{escape(thing.text)}<br>"}
        times = {"publishedAt": _iso(thing.at), "updatedAt": _iso(thing.edited or thing.at)}
        snippet = times | (words if thing.fate != "dropped(empty)" else {"textDisplay": ""})
        return {"kind": "youtube#comment", "id": f"{self._id(parent)}.{own}" if parent else own, "snippet": snippet}


class TelegramSite(Site):
    """A channel's preview, oldest first on the page. At times it says that there are no posts at all."""

    kind = "telegram"
    media = "text/html"
    fates = ("dropped(service)", "dropped(empty)")

    def settings(self) -> dict[str, Any]:
        return {"base_url": self.base, "channel": "vuonthuoc"}

    def page(self, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        if "before" in query and self.random.random() < 0.03:
            return self._answer("", '<div class="tme_no_messages_found">No posts found</div>')
        below = int(query.get("before", "999999999"))
        page = [thing for thing in self.listed() if self._id(thing) < below][-_PER_PAGE:]
        first = page and self._id(page[0]) > self._id(self.things[0])
        older = f'<link rel="prev" href="{path}?before={self._id(page[0])}">' if first else ""
        return self._answer(older, "".join(map(self._message, page)), self.shown(page))

    def _answer(self, head: str, body: str, shown: Sequence[Shown] = ()) -> Answer:
        info = '<div class="tgme_channel_info">Vườn thuốc</div>'
        page = f"<!DOCTYPE html><html><head>{head}</head><body>{info}<main>{body}</main></body></html>"
        return Answer(body=page.encode(), headers={"Content-Type": "text/html; charset=utf-8"}, shown=shown)

    def _id(self, thing: Thing) -> int:
        return thing.number * 3 + 1  # gaps are normal

    def _message(self, thing: Thing) -> str:
        service = " service_message" if thing.fate == "dropped(service)" else ""
        text = f'<div class="tgme_widget_message_text">{escape(thing.text)}<br/></div>'
        time = f'<time datetime="{thing.told or thing.at.isoformat()}">x</time>'
        return (
            f'<div class="tgme_widget_message_wrap"><div class="tgme_widget_message{service}" '
            f'data-post="vuonthuoc/{self._id(thing)}">{"" if thing.fate == "dropped(empty)" else text}'
            f'<a class="tgme_widget_message_date">{time}</a></div></div>'
        )


def all_sites(seed: int) -> list[Site]:
    """One site of each kind, and two that show each other's posts."""
    first = MastodonSite("mang", Random(seed))
    rest = (FeedSite, JsonFeedSite, BlueskySite, DiscourseSite, LemmySite, RedditSite, YoutubeSite, TelegramSite)
    made = [kind(f"n{word(n + 20)}", Random(seed + n)) for n, kind in enumerate(rest, start=2)]
    return [first, MastodonSite("lang", Random(seed + 1), first), *made]
