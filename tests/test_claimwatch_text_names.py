"""Names and addresses of people. All are invented."""

import pytest

from claimwatch.text.names import bare_names, without_handles, without_mentions, without_names


@pytest.mark.parametrize(
    "address",
    [
        "mau.nguyen@example.org",
        "mau+tin@thu.example.vn",
        "mau (at) gmail (dot) com",
        "mau [at] example [dot] com [dot] vn",
        "mau{@}example{.}com",
        "mau @ gmail . com",
        "mau at gmail dot com",
        "mau a còng gmail chấm com",
        "𝐦𝐚𝐮@𝐞𝐱𝐚𝐦𝐩𝐥𝐞.𝐨𝐫𝐠",
    ],
)
def test_email_addresses_go_however_they_are_spelled(address: str) -> None:
    assert without_handles(f"thư: {address}.") == "thư: [email]."


@pytest.mark.parametrize("handle", ["did:plc:mau123xyz", "@mau@example.social", "mau@maychu", "ơi@Lan Mẫu"])
def test_handles_with_a_host_go(handle: str) -> None:
    assert without_handles(f"xem {handle} nhé") == "xem [user] nhé"


@pytest.mark.parametrize("text", ["v@cxin", "c@ch ly", "5kg@10k", "live tại nhà", "look at gmail"])
def test_letters_swapped_for_an_at_sign_stay(text: str) -> None:
    assert without_handles(text) == text


@pytest.mark.parametrize(
    "name",
    [
        "@mau_1990",
        "＠mau",
        "@mau.nguyen",
        "@Nguyễn Thị Mẫu",
        "@Nguyễn Thị Hoài Mẫu",
        "@张伟",
        "@नरेन्द्र",
        "u/mau_90",
        "/u/mau",
    ],
)
def test_at_names_and_reddit_names_go(name: str) -> None:
    assert without_mentions(f"{name} bị bệnh") == "[user] bị bệnh"


def test_a_mention_ends_after_four_words() -> None:
    assert without_mentions("@Một Hai Ba Bốn Năm") == "[user] Năm"


@pytest.mark.parametrize("text", ["@", "họp @ Hà Nội", "10 u/ml", "5 U/day", "Facebook: Bộ Y tế", "Facebook/Zalo"])
def test_what_is_no_name_stays(text: str) -> None:
    assert without_mentions(text) == text


def test_a_handle_behind_its_platform_goes() -> None:
    assert without_mentions("fb: nguyen.van.mau, IG:mau_90") == "fb: [user], IG:[user]"


@pytest.mark.parametrize("spelled", ["Nguyễn Văn Mẫu", "nguyen van mau", "NGUYỄN  VĂN\nMẪU", "@Nguyễn Văn Mẫu"])
def test_a_known_name_goes_whatever_its_case_and_marks(spelled: str) -> None:
    assert without_names(f"bác {spelled}, nói", bare_names(["Nguyễn Văn Mẫu 🌸"])) == "bác [user], nói"


def test_a_known_account_goes_without_its_host() -> None:
    assert without_names("mau90 nói", bare_names(["@mau90@example.social"])) == "[user] nói"


@pytest.mark.parametrize("text", ["Mẫuu", "mau.nguyen@mau.x", "hoa"])
def test_a_known_name_is_a_whole_word(text: str) -> None:
    assert without_names(text, bare_names(["Mẫu Hoa", "ho"])) == text


def test_the_longest_known_name_goes_first() -> None:
    assert without_names("Lan Anh Mẫu", bare_names(["Lan", "Lan Anh Mẫu"])) == "[user]"


def test_names_of_two_characters_are_not_looked_for() -> None:
    assert bare_names(["An", "🌸", "", "@b@c.d"]) == {"b@c.d"}
