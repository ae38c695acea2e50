"""Feeds: RSS, Atom and JSON Feed, sound, broken and in odd charsets."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.feed.parse import parse
from crawlers.page import Found, Page

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
URL = "https://songxanh.example/rss/suc-khoe"
SAMPLE = (Path(__file__).parents[1] / "crawlers" / "feed" / "sample.xml").read_bytes()
DATA = Path(__file__).parent / "data" / "feed"
JSON_FEED = (DATA / "jsonfeed.json").read_bytes()
VIDEO = (DATA / "video.xml").read_bytes()


def page_of(body: bytes | str, *, url: str = URL, headers: Mapping[str, str] | None = None) -> Page:
    return parse(body.encode() if isinstance(body, str) else body, url=url, headers=headers or {}, now=NOW)


def rss(items: str, *, head: str = "") -> str:
    return f'{head}<rss version="2.0"><channel><title>T</title><link>https://songxanh.example/</link>{items}</channel></rss>'


def post_of(item: str) -> Found:
    (post,) = page_of(rss(f"<item>{item}</item>")).posts
    return post


def test_every_entry_of_the_sample_ends_in_one_outcome() -> None:
    page = page_of(SAMPLE)
    assert [post.uri for post in page.posts[:3]] == [
        "https://songxanh.example/suc-khoe/nuoc-muoi-4012.html",
        "https://songxanh.example/suc-khoe/toi-song-4013.html",
        "https://songxanh.example/tac-gia/tran-moc-lan/hoi-dap-77.html",
    ]
    assert page.posts[3].uri.startswith("feed:sha256:")
    assert [each.reason for each in page.dropped] == ["empty"]
    assert [each.reason for each in page.rejected] == ["ghost"]
    assert page.problems == ("undated: 1 entries have no usable date",)
    assert page.understood


def test_an_article_carries_its_facts() -> None:
    post = page_of(SAMPLE).posts[0]
    assert (post.platform, post.author, post.native_id) == ("feed", "songxanh.example", "4012")
    assert post.created_at == datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
    assert post.language == "vi"
    assert post.title == "Uống nước muối có chữa được COVID-19?"
    assert post.url == post.uri
    assert post.url_is_public


def test_the_longer_of_summary_and_content_is_the_text() -> None:
    text = page_of(SAMPLE).posts[0].text
    assert text.startswith("Uống nước muối có chữa được COVID-19?\n\nBác sĩ khẳng định")
    assert "Súc miệng chỉ làm dịu cổ họng." in text
    assert text.count("Bác sĩ khẳng định") == 1


def test_scripts_handlers_and_bylines_never_reach_the_text() -> None:
    text = page_of(SAMPLE).posts[0].text
    assert "track" not in text
    assert "go()" not in text
    assert "Mộc Lan" not in text
    assert "Hãy tiêm đủ liều vắc xin." in text


def test_a_title_that_begins_the_body_is_said_once() -> None:
    assert page_of(SAMPLE).posts[1].text == "Tỏi sống và những lời đồn: ăn tỏi không thay được vắc xin."


def test_a_link_that_names_a_person_is_not_public() -> None:
    assert not page_of(SAMPLE).posts[2].url_is_public


def test_dates_that_feedparser_gives_up_are_read() -> None:
    dates = [post.created_at for post in page_of(SAMPLE).posts]
    assert dates[1] == datetime(2026, 11, 19, 1, 5, 5, tzinfo=UTC)
    assert dates[2] == datetime(2026, 11, 14, 12, 31, tzinfo=UTC)
    assert dates[3] is None


def test_the_next_page_holds_no_token() -> None:
    assert page_of(SAMPLE).next == "https://songxanh.example/rss/suc-khoe?page=2"


def test_what_saves_the_next_transfer_is_kept() -> None:
    page = page_of(SAMPLE, headers={"etag": 'W/"3"', "Last-Modified": "Fri, 20 Nov 2026 08:00:00 GMT"})
    assert page.watermark == {"etag": 'W/"3"', "last_modified": "Fri, 20 Nov 2026 08:00:00 GMT"}
    assert page_of(SAMPLE).watermark == {}


def test_atom_bases_and_media_descriptions_are_read() -> None:
    page = page_of(VIDEO, url="")
    first, second = page.posts
    assert first.uri == "https://video.example/base/watch?v=invented1"
    assert first.text == "Lá đu đủ chữa ung thư?\n\nTrong phim này: vì sao lá đu đủ không chữa được ung thư."
    assert first.edited_at == datetime(2026, 10, 2, 19, 15, 1, tzinfo=UTC)
    assert second.uri == "https://other.example/x/y"
    assert second.title == "A & B"
    assert second.created_at == second.edited_at == datetime(2026, 10, 3, tzinfo=UTC)
    assert page.next == "https://video.example/base/more.xml"


def test_a_json_feed_is_read() -> None:
    page = page_of(JSON_FEED, url="")
    first, second, third = page.posts
    assert first.uri == first.url == "https://langta.example/bai/31"
    assert first.text == first.text.strip()
    assert "không gây vô sinh" in first.text
    assert "alert" not in first.text
    assert "Bến Tre" not in first.text
    assert first.created_at == datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
    assert first.edited_at == datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
    assert second.uri == "feed:langta.example:32"
    assert second.text == "1 < 2 và 3 > 2"
    assert third.created_at is None
    assert page.next == "https://langta.example/feed.json?page=2"
    assert [each.reason for each in page.rejected] == ["ghost", "ghost"]
    assert page.problems == ("undated: 1 entries have no usable date",)


def test_entries_that_share_a_link_stay_apart() -> None:
    item = "<item><title>Bài {0}</title><link>https://a.example/tin</link><guid isPermaLink='false'>g{0}</guid></item>"
    items = item.format(1) + item.format(2)
    assert [post.uri for post in page_of(rss(items)).posts] == ["feed:songxanh.example:g1", "feed:songxanh.example:g2"]


def test_an_entry_met_twice_is_kept_once() -> None:
    page = page_of(rss("<item><title>Bài</title><link>https://songxanh.example/1</link></item>" * 2))
    assert len(page.posts) == 1
    assert [each.reason for each in page.dropped] == ["repeated"]


def test_content_alone_gives_the_same_id_each_time() -> None:
    item = "<title>Không số</title><description>Nội dung</description>"
    assert post_of(item).uri == post_of(item).uri
    assert post_of(item.replace("Nội", "Ngoại")).uri != post_of(item).uri


def test_a_tag_guid_is_an_id_of_its_own() -> None:
    assert (
        post_of('<title>A</title><guid isPermaLink="false">tag:x.example,2026:1</guid>').uri == "tag:x.example,2026:1"
    )


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "windows-1258"])
def test_declared_and_marked_charsets_are_read(charset: str) -> None:
    name = charset.removesuffix("-sig").removesuffix("-le")
    text = rss("<item><title>Café cho bé</title></item>", head=f'<?xml version="1.0" encoding="{name}"?>')
    assert page_of(text.encode(charset)).posts[0].text == "Café cho bé"


@pytest.mark.parametrize(
    "said", ["text/xml", "text/xml; charset=iso-8859-1", "text/xml; charset=undefined", "text/html;charset=x"]
)
def test_utf8_shows_itself_whatever_is_said_of_it(said: str) -> None:
    text = rss("<item><title>Tỏi và gừng</title></item>", head='<?xml version="1.0" encoding="iso-8859-1"?>')
    assert page_of(text, headers={"Content-Type": said}).posts[0].text == "Tỏi và gừng"


@pytest.mark.parametrize(
    ("charset", "title"),
    [("koi8-r", "Новости о здоровье и вакцинах для всей семьи"), ("euc-jp", "ゲーム三昧な正月と健康のニュースについて"),
     ("euc-kr", "백신과 건강에 관한 오늘의 주요 소식입니다")],
)  # fmt: skip
def test_an_undeclared_charset_is_guessed(charset: str, title: str) -> None:
    assert page_of(rss(f"<item><title>{title}</title></item>").encode(charset)).posts[0].text == title


def test_text_before_the_feed_costs_nothing() -> None:
    noisy = "<br />\n<b>Warning</b>: Undefined index in feed.php\n" + rss(
        "<item><title>Một</title></item><item><title>Hai</title></item>", head="<?xml version='1.0'?>"
    )
    page = page_of(noisy)
    assert [post.text for post in page.posts] == ["Một", "Hai"]
    assert page.rejected == ()


@pytest.mark.parametrize(
    "item",
    [
        "<title>Muối & gừng</title>",
        "<title>Muối &amp; gừng</title><x:y>a</x:y>",
        "<title>Muối &amp;amp; gừng</title>",
        "<title><![CDATA[Muối & gừng]]></title>",
        "<title>Muối &amp; gừng\0\x08</title>",
        "<title>Muối &amp; gừng&#x110000;</title>",
        "<title>Muối &amp; gừng</title><where><pos>1</pos></where>",
        "<title>Muối &amp; gừng</title><width/>",
    ],
)
def test_broken_markup_still_gives_its_articles(item: str) -> None:
    assert post_of(item).text == "Muối & gừng"


def test_a_cut_off_feed_keeps_its_whole_entries() -> None:
    page = page_of(rss("<item><title>Một</title></item><item><title>Hai</title><description>Ba bốn")[:-16])
    assert [post.text for post in page.posts] == ["Một"]
    assert [each.reason for each in page.rejected] == ["cut_off"]
    assert page.problems[0].startswith("cut_off: ")


def test_a_body_is_never_taken_for_the_name_of_a_file() -> None:
    assert not page_of(str(DATA / "video.xml")).understood


@pytest.mark.parametrize(
    ("body", "code", "understood"),
    [
        (b"", "empty", True),
        (rss("").encode(), "empty", True),
        (b'{"version": "https://jsonfeed.org/version/1", "items": []}', "empty", True),
        (b"<title>404 Not Found</title>", "not_found", True),
        (b'{"error": "Too many requests"}', "rate_limited", True),
        (b'{"version": "https://jsonfeed.org/version/1", "items": [{"id"', "cut_off", False),
        (b"<html><title>A page</title><p>Text</p></html>", "not_a_feed", False),
        (b'{"posts": []}', "not_a_feed", False),
        (b"{ rubbish", "not_a_feed", False),
        (b"\x89PNG\r\n", "not_a_feed", False),
    ],
)
def test_an_answer_without_articles_is_named(body: bytes, code: str, *, understood: bool) -> None:
    page = page_of(body)
    assert page.posts == ()
    assert [problem.partition(":")[0] for problem in page.problems] == [code]
    assert page.understood is understood


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A sound feed cut, with bytes flipped and with pieces known to upset parsers put in."""
    body = bytearray(draw(st.sampled_from([SAMPLE, JSON_FEED, VIDEO])))
    pieces = [
        b"<![CDATA[",
        b"]]>",
        b"&#xd800;",
        b"&",
        b"<",
        b"\0",
        b"</item>",
        b"<pos>1</pos>",
        b"null",
        b"<link href='//['/>",
    ]
    for _ in range(draw(st.integers(1, 5))):
        place = draw(st.integers(0, len(body)))
        body[place : place + draw(st.integers(0, 9))] = draw(st.sampled_from(pieces) | st.binary(max_size=3))
    return bytes(body[: draw(st.integers(0, len(body)) | st.just(len(body)))])


@given(
    damaged(),
    st.sampled_from(["", URL, "http://["]),
    st.sampled_from(["", "text/xml; charset=utf-16", "text/xml; charset=\0"]),
)
def test_no_damage_raises_or_goes_unsaid(body: bytes, url: str, content_type: str) -> None:
    page = page_of(body, url=url, headers={"content-type": content_type})
    assert page.posts or page.problems
    assert all(post.uri and post.text for post in page.posts)
    assert all("\n" not in problem for problem in page.problems)


@given(st.binary())
def test_no_bytes_raise(body: bytes) -> None:
    page = page_of(body)
    assert page.posts or page.problems
