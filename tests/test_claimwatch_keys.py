"""The desk's secrets."""

import stat
from pathlib import Path

import pytest

from claimwatch import keys
from claimwatch.errors import ConfigError
from claimwatch.keys import Keys, author_key

ONE, OTHER = (
    Keys(id=b"a" * 32, seal=b"b" * 32, session=b"c" * 32),
    Keys(id=b"x" * 32, seal=b"y" * 32, session=b"z" * 32),
)
URI = "https://mang.example/users/mai/statuses/1"


def test_an_id_is_the_same_for_the_same_uri_and_tells_nothing_of_it() -> None:
    made = ONE.post_id("mastodon", URI)
    assert made == ONE.post_id("mastodon", URI)
    assert made != OTHER.post_id("mastodon", URI)
    assert made != ONE.post_id("mastodon", URI + "2")
    platform, _, digits = made.partition(":")
    assert (platform, len(digits)) == ("mastodon", 32)
    assert "mai" not in made


def test_a_sealed_link_opens_with_its_key_only() -> None:
    sealed = ONE.seal_link(URI)
    assert ONE.open_link(sealed) == URI
    assert "mai" not in sealed
    assert sealed == ONE.seal_link(URI)
    for broken in (sealed[:-6] + "AAAAAA", "nonsense", ""):
        with pytest.raises(ConfigError):
            ONE.open_link(broken)
    with pytest.raises(ConfigError, match="another key"):
        OTHER.open_link(sealed)


def test_an_author_is_another_in_the_next_quarter_and_on_another_platform() -> None:
    made = {
        author_key(key, platform, "mai@mang.example") for key in (b"q3", b"q4") for platform in ("mastodon", "feed")
    }
    assert len(made) == 4
    assert author_key(b"q3", "feed", "") == ""


def test_keys_are_made_once_readable_by_the_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    made = keys.load({}, folder)
    assert made == keys.load({}, folder)
    assert len({made.id, made.seal, made.session}) == 3
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert sorted(file.name for file in folder.iterdir()) == ["id.key", "seal.key", "session.key"]


def test_the_environment_gives_keys_or_files_of_keys(tmp_path: Path) -> None:
    file = tmp_path / "seal"
    file.write_text("s" * 40 + "\n", encoding="ascii")
    given = {"CLAIMWATCH_ID_KEY": "i" * 32, "CLAIMWATCH_SEAL_KEY_FILE": str(file)}
    made = keys.load(given, tmp_path / "keys")
    assert (made.id, made.seal) == (b"i" * 32, b"s" * 40)


@pytest.mark.parametrize(
    "given",
    [{"CLAIMWATCH_ID_KEY": "short"}, {"CLAIMWATCH_ID_KEY_FILE": "/no/such/file"}],
)
def test_an_unusable_key_is_refused_by_name(given: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="CLAIMWATCH_ID_KEY"):
        keys.load(given, tmp_path)


def test_keys_never_show_in_a_log() -> None:
    assert repr(ONE) == str(ONE) == "Keys(...)"
    assert "a" * 16 not in str(ONE.fingerprints())
