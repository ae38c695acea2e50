"""Links: cleaned, freed of secrets, judged for names; the Link header."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.links import clean_link, host_of, is_home_page, names_person, related, without_secrets


@pytest.mark.parametrize(
    ("link", "clean"),
    [
        ("https://News.Example/a?utm_source=x&id=3&fbclid=y#top", "https://news.example/a?id=3"),
        ("http://news.example:80/a?gclid=1", "http://news.example/a"),
        ("http://news.example:8080", "http://news.example:8080/"),
        ("https://lan:secret@news.example/a?access_token=1&b=2", "https://news.example/a?b=2"),
        ("https://news.example/a b?q=%20+x", "https://news.example/a%20b?q=%20+x"),
        ("https://news.example/#!/a/3", "https://news.example/#!/a/3"),
        ("https://news.example/story.php?sid=12", "https://news.example/story.php?sid=12"),
        ("javascript:alert(1)", ""),
        ("mailto:desk@news.example", ""),
        ("http://[::1", ""),
        ("http://news.example:port/", ""),
        ("", ""),
    ],
)
def test_a_link_is_cleaned(link: str, clean: str) -> None:
    assert clean_link(link) == clean


def test_a_relative_link_is_joined_to_its_base() -> None:
    assert clean_link("/a?utm_medium=rss", "https://news.example/feeds/all.xml") == "https://news.example/a"
    assert clean_link("//cdn.example/b", "https://news.example/") == "https://cdn.example/b"
    assert clean_link("b", "") == ""
    assert clean_link(" ", "https://news.example/") == ""


def test_an_address_to_follow_stays_as_it_is() -> None:
    address = "https://server.example/api?limit=40&max_id=12&page_token=abc#x"
    assert without_secrets(address) == address


def test_an_address_to_follow_loses_its_secrets() -> None:
    assert without_secrets("https://lan:pw@server.example/api?key=1&max_id=2") == "https://server.example/api?max_id=2"
    assert without_secrets("https://server.example/api?ACCESS_TOKEN=1") == "https://server.example/api"
    assert without_secrets("file:///etc/hosts") == ""


@pytest.mark.parametrize(
    "link",
    ["https://x.com/lan/status/1", "https://m.facebook.com/story.php?id=1", "https://lan.blogspot.com/2021/a.html",
     "https://server.example/@lan/3", "https://server.example/users/lan/statuses/3", "https://forum.example/u/lan",
     "https://news.example/tac-gia/lan-tran", "https://news.example/author/lan", "https://uni.example/~lan/a",
     "https://news.example/?author=3", "https://news.example/profile.php?id=3", "https://www.youtube.com/@lan",
     "https://news.example/%40lan", "not a link", ""],
)  # fmt: skip
def test_a_link_that_may_name_somebody(link: str) -> None:
    assert names_person(link)


@pytest.mark.parametrize(
    "link",
    ["https://news.example/suc-khoe/vaccine-4012.html", "https://www.youtube.com/watch?v=abc", "https://news.example/users",
     "https://news.example/a/bypass-surgery", "https://forum.example/t/topic/12", "https://wax.company.example/a"],
)  # fmt: skip
def test_a_link_that_names_nobody(link: str) -> None:
    assert not names_person(link)


def test_the_link_header_is_kept_verbatim() -> None:
    said = {"LINK": '<https://s.example/api?a=1,2&max_id=3>; rel="next", <https://s.example/api?min_id=9>; rel="prev"'}
    assert related(said, "next") == "https://s.example/api?a=1,2&max_id=3"
    assert related(said, "prev") == "https://s.example/api?min_id=9"
    assert related({"link": '<a>; title="x, y"; rel=prev, <b>; rel="last next"'}, "next") == "b"
    assert related({}, "next") == ""


def test_host_and_home_page() -> None:
    assert host_of("https://WWW.News.example:444/a") == "news.example"
    assert host_of("nothing") == ""
    assert is_home_page("https://news.example")
    assert is_home_page("https://news.example/")
    assert not is_home_page("https://news.example/a")
    assert not is_home_page("https://news.example/?p=3")


@given(st.text(), st.text())
def test_no_link_raises(link: str, base: str) -> None:
    cleaned = clean_link(link, base)
    assert cleaned == "" or cleaned.startswith(("http://", "https://"))
    assert isinstance(names_person(link), bool)
    assert related({"link": link}, "next") in link


@given(st.from_regex(r"https://[a-z]{1,9}\.example/[a-z/]{0,9}\?[a-z_=&%0-9]{0,30}", fullmatch=True))
def test_cleaning_twice_changes_nothing(link: str) -> None:
    assert clean_link(clean_link(link)) == clean_link(link)
