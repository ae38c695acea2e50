"""Links without what names a person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimwatch.text.links import link_placeholder, without_bare_links, without_full_links


@pytest.mark.parametrize(
    ("address", "placeholder"),
    [
        ("https://suc-khoe.baomau.com.vn/nguyen-van-mau", "[link baomau.com.vn]"),
        ("https://nguyenvanmau.wordpress.com", "[link wordpress.com]"),
        ("HTTPS://WWW.Example.ORG:8080/@mau", "[link example.org]"),
        ("https://mau:matkhau@example.org/", "[link example.org]"),
        ("http://192.0.2.7/mau", "[link]"),
        ("http://[2001:db8::1]/", "[link]"),
        ("http://localhost/mau", "[link]"),
        ("https://mau.khongcoduoinay", "[link]"),
        ("https://com.vn/", "[link]"),
        ("at://did:plc:mau123/app.bsky.feed.post/1", "[link]"),
        ("https://0912345678.com/", "[link]"),
        ("https://nguyenvanmau.name.vn/", "[link]"),
        ("https://sức-khoẻ.vn/", "[link]"),
        ("", "[link]"),
    ],
)
def test_only_the_registrable_domain_is_kept(address: str, placeholder: str) -> None:
    assert link_placeholder(address) == placeholder


def test_a_domain_that_is_the_authors_name_goes_too() -> None:
    assert link_placeholder("https://nguyenvanmau.com/bai", {"nguyenvanmau"}) == "[link]"


def test_punctuation_behind_a_link_stays() -> None:
    assert without_full_links("(xem https://example.org/bài.)", ()) == "(xem [link example.org].)"


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("đọc t.me/mau_1990 nhé", "đọc [link t.me] nhé"),
        ("facebook.com/mau?id=1.", "[link facebook.com]."),
        ("theo Example.org, hôm nay", "theo [link example.org], hôm nay"),
        ("blog mau.example.vn", "blog [link example.vn]"),
        ("www.example.me", "[link example.me]"),
    ],
)
def test_links_without_a_scheme_are_found(text: str, scrubbed: str) -> None:
    assert without_bare_links(text, ()) == scrubbed


@pytest.mark.parametrize("text", ["khỏi bệnh.Bà con", "hết benh.co nguoi noi", "TP.HCM/Hà Nội", "v.v.", "xong.Com tấm"])
def test_a_missing_space_after_a_full_stop_is_no_link(text: str) -> None:
    assert without_bare_links(text, ()) == text


@given(st.text())
def test_any_address_gives_a_placeholder_that_stands(address: str) -> None:
    placeholder = link_placeholder(address)
    assert placeholder == "[link]" or link_placeholder(placeholder[6:-1]) == placeholder
