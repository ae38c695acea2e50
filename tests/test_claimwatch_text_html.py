"""What a reader sees of a post that comes as HTML."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimwatch.text.html import html_to_text

SHORTENED = (
    '<a href="https://example.org/suc-khoe/bai-viet" rel="nofollow"><span class="invisible">https://</span>'
    '<span class="ellipsis">example.org/suc-khoe</span><span class="invisible">/bai-viet</span></a>'
)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>một</p><p>hai<br>ba<br><br>bốn</p>", "một\n\nhai\nba\n\nbốn"),
        ("a<ul><li>x</li><li>y</li></ul>b", "a\n\nx\ny\n\nb"),
        ("<h2>Tựa</h2>thân<blockquote>lời</blockquote>cuối", "Tựa\n\nthân\n\nlời\n\ncuối"),
        ("<div>\n  một\n  dòng\n</div>\n<div>hai</div>", "một dòng\nhai"),
        ("<pre>một\nhai</pre>", "một\nhai"),
    ],
)
def test_lines_break_where_the_page_breaks_them(html: str, text: str) -> None:
    assert html_to_text(html) == text


@pytest.mark.parametrize(
    "hidden",
    [
        "<script>alert('<p>x</p>')</script>",
        "<style>p{}</style>",
        "<template><p>x</p></template>",
        "<!-- x -->",
        '<p class="quote-inline">RE: <a href="https://example.org/x">x</a><br></p>',
        '<img src="x" alt="ảnh của tôi" onerror="alert(1)">',
    ],
)
def test_what_no_reader_sees_is_dropped(hidden: str) -> None:
    assert html_to_text(f"<b onclick='alert(1)'>trước</b>{hidden}<i>sau</i>").split() in (
        ["trước", "sau"],
        ["trướcsau"],
    )


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (f"xem {SHORTENED}!", "xem https://example.org/suc-khoe/bai-viet!"),
        ('<a href="https://example.org/a/b/c">example.org/a/…</a>', "https://example.org/a/b/c"),
        ('<a href="https://example.org/a">đọc thêm</a> nhé', "đọc thêm nhé"),
        ('<a href="javascript:alert(1)">www.example.org</a>', "www.example.org"),
        ('<a href="https://x.org/@mau" class="u-url mention">@<span>mau</span></a> ơi', "@mau ơi"),
        ('<a href="https://x.org/tags/covid" class="mention hashtag">#<span>covid</span></a>', "#covid"),
    ],
)
def test_links_show_where_they_lead_only_if_cut_short(html: str, text: str) -> None:
    assert html_to_text(html) == text


def test_emoji_and_entities_are_kept_as_text() -> None:
    assert html_to_text('a &lt; b &amp; c <img class="emoji" alt=":mask:"> :tim:') == "a < b & c :mask: :tim:"


@pytest.mark.parametrize("text", ["", " ", "chữ trơn\n\n\nhai dòng", "5 < 7 <3", "a&lang=vi", "<p"])
def test_plain_text_passes_through(text: str) -> None:
    assert html_to_text(text) == text


def test_entities_of_plain_text_are_read() -> None:
    assert html_to_text("AT&amp;T &#x1F600;") == "AT&T 😀"


@pytest.mark.parametrize(
    "html", ["<p>\x00a", "\ud800<p>a", '<?xml version="1.0" encoding="utf-16"?><p>a</p>', "</a></p></b>a<i", "<a><p>a"]
)
def test_broken_pages_still_give_their_text(html: str) -> None:
    assert "a" in html_to_text(html)


def test_text_below_any_depth_is_found() -> None:
    deep = "<div>" * 100_000 + "sâu" + "</div>" * 100_000 + "<p>sau"
    assert html_to_text(deep) == "sâu\n\nsau"


@settings(deadline=None)
@given(st.lists(st.sampled_from(["<p>", "<a href='", "'>", "</a>", "<!--", "<script>", "&", "<", "x"]) | st.text()))
def test_no_page_makes_it_fail(parts: list[str]) -> None:
    html_to_text("".join(parts)).encode()
