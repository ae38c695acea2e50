"""What each kind of source asks next."""

from pathlib import Path
from typing import Any

import pytest

from claimwatch.errors import SourceError
from claimwatch.records import Source
from crawlers.feed.spider import FeedPlan, FeedSettings
from crawlers.kinds import KINDS, checked_settings
from crawlers.mastodon.spider import HashtagPlan, MastodonSettings
from crawlers.page import Found, Page

POST = Found(platform="mastodon", uri="https://m.example/1", text="a")
BASE = "https://m.example/api/v1/timelines/tag/COVID"
SNOWFLAKE = 115_000_000_000_000_000


def hashtag() -> HashtagPlan:
    return HashtagPlan("m", MastodonSettings(base_url="https://m.example/", hashtag="COVID"))


def page(newest: str = "", following: str | None = None, **rest: Any) -> Page:
    return Page(
        posts=(POST,) if newest else (), watermark={"newest_id": newest} if newest else {}, next=following, **rest
    )


class TestFeed:
    plan = FeedPlan("f", FeedSettings(url="https://f.example/rss"))

    def test_the_first_crawl_asks_for_the_feed(self) -> None:
        assert (self.plan.first({}).url, dict(self.plan.first({}).headers)) == ("https://f.example/rss", {})

    def test_the_next_crawl_asks_only_for_what_changed(self) -> None:
        answer = Page(posts=(POST,), watermark={"etag": '"a"', "last_modified": "Mon"})
        step = self.plan.after(self.plan.first({}), {}, answer)
        assert step.ask is None
        assert dict(self.plan.first(step.state).headers) == {"If-None-Match": '"a"', "If-Modified-Since": "Mon"}

    def test_older_pages_are_walked_to_the_first_empty_one(self) -> None:
        first = self.plan.after(self.plan.first({}), {}, Page(posts=(POST,), next="https://f.example/rss?p=2"))
        assert first.ask is not None
        assert (first.ask.url, self.plan.first(first.state).url) == ("https://f.example/rss?p=2",) * 2
        last = self.plan.after(first.ask, first.state, Page(next="https://f.example/rss?p=3"))
        assert (last.ask, "older" in last.state) == (None, False)

    def test_a_feed_that_became_shorter_is_asked_from_the_front_again(self) -> None:
        owed = {"older": "https://f.example/rss?p=9"}
        step = self.plan.after(self.plan.first(owed), owed, Page(problems=("not_found: no such thing",)))
        assert (step.ask, dict(step.state)) == (None, {})

    def test_an_older_page_that_is_refused_for_now_stays_owed(self) -> None:
        owed = {"older": "https://f.example/rss?p=2"}
        for said in ("rate_limited: wait", "unavailable: a fault", "forbidden: no"):
            with pytest.raises(SourceError, match=said.partition(":")[0]):
                self.plan.after(self.plan.first(owed), owed, Page(problems=(said,)))

    def test_a_page_that_leads_to_itself_is_not_asked_again(self) -> None:
        ask = self.plan.first({})
        assert self.plan.after(ask, {}, Page(posts=(POST,), next=ask.url)).ask is None


class TestHashtag:
    def test_the_server_is_asked_for_its_rules_first(self) -> None:
        plan = hashtag()
        assert plan.first({}).url == "https://m.example/api/v2/instance"
        step = plan.after(plan.first({}), {}, Page(watermark={"hashtag_feeds": "public"}))
        assert step.ask is not None
        assert step.ask.url == f"{BASE}?limit=40"

    def test_a_closed_server_needs_attention(self) -> None:
        plan = hashtag()
        with pytest.raises(SourceError, match="signed-in") as closed:
            plan.after(plan.first({}), {}, Page(watermark={"hashtag_feeds": "disabled"}))
        assert closed.value.permanent

    def test_a_backfill_follows_the_servers_links_and_survives_a_kill(self) -> None:
        plan = hashtag()
        newest = plan.after(plan.first({}), {}, Page()).ask
        assert newest is not None
        step = plan.after(newest, {"asked": True}, page("900", f"{BASE}?max_id=800"))
        assert step.ask is not None
        assert step.state["newest"] == "900"
        assert plan.first(step.state).url == f"{BASE}?max_id=800"  # killed here: the older page is still owed
        end = plan.after(step.ask, step.state, page())
        assert (end.ask, end.state["newest"], "older" in end.state) == (None, "900", False)

    def test_a_poll_goes_onward_until_nothing_is_newer(self) -> None:
        plan = hashtag()
        state = {"newest": "900"}
        ask = plan.first(state)
        assert ask.url == f"{BASE}?limit=40&min_id=900"
        step = plan.after(ask, state, page("950"))
        assert step.ask is not None
        assert (step.ask.url, step.state["newest"]) == (f"{BASE}?limit=40&min_id=950", "950")
        assert plan.after(step.ask, step.state, page()).ask is None

    def test_a_poll_looks_back_for_late_posts_but_never_moves_the_cursor_back(self) -> None:
        plan = hashtag()
        ask = plan.first({"newest": str(SNOWFLAKE)})
        assert int(ask.mark) == SNOWFLAKE - ((6 * 3_600_000) << 16)
        step = plan.after(ask, {"newest": str(SNOWFLAKE)}, page(str(SNOWFLAKE - 10)))
        assert step.state["newest"] == str(SNOWFLAKE)
        assert step.ask is not None

    def test_ids_are_compared_as_numbers(self) -> None:
        plan = hashtag()
        step = plan.after(plan.first({"newest": "999"}), {"newest": "999"}, page("1000"))
        assert step.state["newest"] == "1000"


@pytest.mark.parametrize(
    ("kind", "settings", "named"),
    [
        ("feed", {}, "`url`"),
        ("feed", {"url": "ftp://x"}, "`url`"),
        ("feed", {"url": "https://x.example", "urll": 1}, "unknown key; known here: allow_hosts, url"),
        ("mastodon", {"hashtag": "a/b"}, "`hashtag`"),
        ("telepathy", {}, "there is no kind 'telepathy': use one of feed, mastodon"),
    ],
)
def test_a_bad_source_is_refused_alone_and_named(kind: str, settings: dict[str, Any], named: str) -> None:
    with pytest.raises(SourceError, match="who: ") as refused:
        checked_settings(Source(name="who", kind=kind, settings=settings))
    assert named in str(refused.value)
    assert refused.value.permanent


def test_every_setting_of_every_kind_has_help() -> None:
    for kind in KINDS.values():
        assert all(field.description for field in kind.settings.model_fields.values())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_page_with_all_its_settings(kind: str) -> None:
    page = (Path(__file__).parent.parent / "docs/sources" / f"{kind}.md").read_text(encoding="utf-8")
    told = set(KINDS[kind].settings.model_fields) - {"credential", "allow_hosts", "base_url", "token_env"}
    assert [name for name in sorted(told) if f"`{name}`" not in page] == []
