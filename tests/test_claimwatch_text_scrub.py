"""Texts without what names or reaches a person. All names and numbers are invented."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimwatch.text.scrub import scrub

#: What patterns begin, join and end with, so that chance puts halves of them beside each other.
WORDS = """
@ ＠ mau Lan Á 0912 345 678 84 + ( ) 028 . - / : _ ế u/ t.me/ www. vn fb zalo sđt stk cmnd 1900 123456789 http://
facebook.com name.vn x@y.vn gmail at (at) (dot) com did:plc: 1.234.567 4111111111111111 12/03/2020 [user] [link x.vn] ]
"""
PIECES = st.sampled_from([*WORDS.split(), " ", "\n", "[link ", "\u0301", "\u200d", "\u0338", "\ud800"])
MIXED = st.lists(PIECES | st.text(max_size=3), max_size=14).map("".join)


def test_a_post_keeps_its_claim_and_loses_its_people() -> None:
    text = (
        "@Nguyễn Thị Mẫu ơi, mau90 bảo uống nước chanh chữa COVID-19, 1.234.567 ca khỏi từ 12/03/2020!\n"
        "Gọi 0912 345 678 hay 1900 9095, thư mau@example.org, CCCD 012345678901, #covid19 "
        "https://mau90.example.com/bai-viet, fb.com/mau90, u/mau_90, STK 1234567890"
    )
    assert scrub(text, known=["Mau90"]) == (
        "[user] ơi, [user] bảo uống nước chanh chữa COVID-19, 1.234.567 ca khỏi từ 12/03/2020!\n"
        "Gọi [phone] hay 1900 9095, thư [email], CCCD [id], #covid19 "
        "[link example.com], [link fb.com], [user], STK [card]"
    )


def test_hidden_characters_hide_no_name() -> None:
    assert scrub("09\u200b12 345\u00ad 678 và m\u200dau@exam\u2060ple.org") == "[phone] và [email]"


def test_a_placeholder_typed_by_hand_cannot_carry_a_name() -> None:
    assert scrub("[link mau.example.com] [link mau@x] [link x") == "[link example.com] [link] [link x"


def test_a_known_name_does_not_eat_placeholders() -> None:
    assert (
        scrub("phone @mau email https://example.org", ["phone", "email"]) == "[user] [user] [user] [link example.org]"
    )


def test_a_handle_the_text_mentions_once_goes_wherever_it_stands() -> None:
    assert scrub("@lan_nguyen92 nói, lan_nguyen92 kể lại") == "[user] nói, [user] kể lại"
    assert scrub("xem https://example.org/@tranbinh/1 của tranbinh") == "xem [link example.org] của [user]"


def test_a_handle_that_is_a_plain_word_leaves_the_claim_readable() -> None:
    assert scrub("vaccines and covid: mất tiền", ["vaccines", "tien"]) == "vaccines and covid: mất tiền"
    assert scrub("@vaccines and vaccines") == "[user] and vaccines"


@pytest.mark.parametrize("text", ["", " ", "@", "COVID-19", "Bộ Y tế: 19.000.000 liều, tăng 12,5%", "Hà Nội, 8h30"])
def test_a_text_without_people_stays_as_it_is(text: str) -> None:
    assert scrub(text) == text


@settings(max_examples=300, deadline=None)
@given(MIXED, st.lists(PIECES, max_size=2))
def test_scrubbing_twice_changes_nothing_more(text: str, known: list[str]) -> None:
    once = scrub(text, known)
    assert scrub(once, known) == once
    once.encode()


@settings(max_examples=100, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=3).map("".join))
def test_long_repetitions_are_read_to_their_end(unit: str) -> None:
    """A pattern that takes quadratic time on repetitions would hang here."""
    text = unit * (20_000 // len(unit))
    assert isinstance(scrub(text), str)


@pytest.mark.parametrize("unit", ["@", "1", "a.", "a@", "1 ", "0 ", "TP.HCM/", "http:", "(at)", "[link ", "a-b.c "])
def test_a_long_row_of_one_sign_is_no_trap(unit: str) -> None:
    assert len(scrub(unit * (50_000 // len(unit)))) <= 50_000 * 7
