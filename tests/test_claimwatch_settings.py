"""Settings: read once, refused whole, every refusal one line that names file and key."""

from pathlib import Path

import pytest

from claimwatch import settings
from claimwatch.errors import ConfigError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "claimwatch.yml"
    path.write_text("desk: {name: Hue desk}\nweb: {port: 9000}\n", encoding="utf-8")
    return path


def test_a_file_changes_what_it_names_and_nothing_else(file: Path) -> None:
    chosen = settings.load(file, {})
    assert (chosen.desk.name, chosen.web.port, chosen.web.host) == ("Hue desk", 9000, "127.0.0.1")


def test_the_environment_overrides_the_file(file: Path) -> None:
    chosen = settings.load(file, {"CLAIMWATCH_WEB__PORT": "8000", "CLAIMWATCH_DESK__LANGUAGE": "en"})
    assert (chosen.web.port, chosen.desk.language, chosen.desk.name) == (8000, "en", "Hue desk")


def test_places_and_secrets_are_no_settings(file: Path) -> None:
    given = {"CLAIMWATCH_DATA": "/x", "CLAIMWATCH_ID_KEY_FILE": "/y", "CLAIMWATCH_ADMIN_PASSWORD": "z", "HOME": "/h"}
    assert settings.load(file, given) == settings.load(file, {})


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("web: {prot: 1}", r"unknown key `web\.prot`; known here: host, metrics, port"),
        ("webb: {port: 1}", r"unknown key `webb`; known here: classify, crawl, desk"),
        ("web: {port: many}", r"`web\.port`: .*integer"),
        ("web: {port: 70000}", r"`web\.port`: .*65535"),
        ("desk: {timezone: Hanoi}", r"`desk\.timezone`: unknown timezone 'Hanoi'"),
        ("stores: {posts: 'mysql://x'}", r"`stores\.posts`: .*is not a store"),
        ("desk: [a", r", line 1: not valid YAML"),
        ("- a", r"must hold sections"),
        ("desk: nothing", r"`desk`"),
    ],
)
def test_a_bad_file_is_refused_with_file_and_key(file: Path, text: str, named: str) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=named) as refused:
        settings.load(file, {})
    assert str(file) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["CLAIMWATCH_PORT", "CLAIMWATCH_WEBB__PORT", "CLAIMWATCH_WEB"])
def test_an_unknown_variable_is_refused_by_name(file: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        settings.load(file, {name: "1"})


def test_credentials_of_sources_come_from_the_environment_or_a_file(file: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from a file\n", encoding="utf-8")
    given = {"CLAIMWATCH_REDDIT_TOKEN": "plain", "CLAIMWATCH_YOUTUBE_KEY_FILE": str(secret), "OTHER_TOKEN": "x"}
    assert settings.credentials(given) == {
        "CLAIMWATCH_REDDIT_TOKEN": "plain",
        "CLAIMWATCH_YOUTUBE_KEY": "from a file",
    }
    assert settings.load(file, given) == settings.load(file, {})
    with pytest.raises(ConfigError, match="CLAIMWATCH_X_TOKEN_FILE"):
        settings.credentials({"CLAIMWATCH_X_TOKEN_FILE": "/no/such/file"})


def test_a_missing_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--config"):
        settings.load(tmp_path / "none.yml", {})


def test_an_empty_file_means_defaults(file: Path) -> None:
    file.write_text("", encoding="utf-8")
    assert settings.load(file, {}) == settings.Settings()


def test_settings_cannot_be_changed_after_reading(file: Path) -> None:
    chosen = settings.load(file, {})
    with pytest.raises(ValueError, match="frozen"):
        setattr(chosen, "web", settings.Web())  # noqa: B010  a plain assignment the type checker refuses first


def test_places_follow_the_option_then_the_environment_then_xdg(tmp_path: Path) -> None:
    given = {"HOME": "/home/mai", "CLAIMWATCH_CONFIG": "/etc/claimwatch", "XDG_CACHE_HOME": "/cache"}
    where = settings.places(given)
    assert where.config == Path("/etc/claimwatch/claimwatch.yml")
    assert where.data == Path("/home/mai/.local/share/claimwatch")
    assert where.cache == Path("/cache/claimwatch")
    assert where.keys == Path("/home/mai/.config/claimwatch/keys")
    assert settings.places(given, tmp_path / "own.yml").config == tmp_path / "own.yml"
    assert settings.places(given | {"CLAIMWATCH_DATA": "/data"}).data == Path("/data")


def test_the_shipped_file_is_valid_and_every_setting_has_help() -> None:
    shipped = settings.places({"HOME": "/h"}).config
    assert settings.load(shipped, {}).desk.timezone == "Asia/Ho_Chi_Minh"
    for section in settings.Settings.model_fields.values():
        assert isinstance(section.annotation, type)
        assert all(field.description for field in section.annotation.model_fields.values())
