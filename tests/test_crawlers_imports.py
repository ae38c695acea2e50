"""Rows of other people's collections. All of them are made up."""

import csv
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from soak import all_posts

from claimwatch.desk import Desk
from claimwatch.errors import ConfigError
from claimwatch.records import Post
from crawlers.imports import Import, import_file, shape_of

TELEGRAM = {
    "id": "vuonthuoc-41",
    "thread_id": "vuonthuoc",
    "chat": "vuonthuoc",
    "author": "7712",
    "author_username": "maivuonca_88",
    "author_name": "Mai Vườn Cà",
    "author_is_bot": "no",
    "body": "Mai Vườn Cà dặn: ngậm nước muối là khỏi hẳn bệnh sởi",
    "reply_to": "",
    "views": "1200",
    "timestamp": "2026-11-15 08:00:00",
    "unix_timestamp": "1794700800",
    "timestamp_edited": "2026-11-15 09:00:00",
    "unix_timestamp_edited": "1794704400",
    "author_forwarded_from_name": "Bích Liên Hồ",
    "link_title": "",
}
BLUESKY = {
    "id": "at://did:plc:vuon/app.bsky.feed.post/3abc",
    "thread_id": "at://did:plc:vuon/app.bsky.feed.post/3abc",
    "created_at": "2026-11-15T01:00:00+00:00",
    "author": "moclan.bsky.social",
    "author_id": "did:plc:vuon",
    "author_display_name": "Trần Mộc Lan",
    "body": "Theo Trần Mộc Lan thì tỏi sống chữa được cúm mùa",
    "link": "https://bsky.app/profile/moclan.bsky.social/post/3abc",
    "like_count": "5",
    "repost_count": "2",
    "reply_count": "1",
    "timestamp": "1794700800.0",
}
JUNKIPEDIA = {
    "PostId": "991",
    "PostUrl": "https://www.facebook.com/vuonthuoc/posts/991",
    "Platform": "Facebook",
    "ChannelID": "12",
    "ChannelName": "Hội Vườn Thuốc Nam",
    "ChannelUid": "7001",
    "post_body_text": "Hội Vườn Thuốc Nam chia sẻ: lá đu đủ trị sốt xuất huyết",
    "published_at": "2026-11-15 01:00:00 UTC",
    "PostEngagement": "null",
    "embedded_post_text": "null",
}
STORY = {
    "id": "a1b2",
    "indexed_date": "2026-11-16 00:10:00",
    "language": "vi",
    "media_name": "songxanh.example",
    "media_url": "songxanh.example",
    "publish_date": "2026-11-14",
    "title": "Nước chanh ấm không chữa được cúm, bác sĩ khẳng định",
    "url": "https://songxanh.example/suc-khoe/nuoc-chanh-77.html?utm_source=mc#top",
}


def table(folder: Path, *rows: Mapping[str, Any], name: str = "rows.csv") -> Path:
    file = folder / name
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return file


def lines(folder: Path, *rows: Any) -> Path:
    file = folder / "rows.ndjson"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def kept(desk: Desk, file: Path, form: str = "auto") -> Post:
    """The only post of a file."""
    assert import_file(desk, Import(file=file, source="study", format=form)) == {"stored": 1}
    (post,) = all_posts(desk)
    return post


@pytest.mark.parametrize(
    ("row", "form"),
    [(TELEGRAM, "4cat"), (BLUESKY, "4cat"), (JUNKIPEDIA, "junkipedia"), (STORY, "mediacloud"), ({"text": "x"}, "csv")],
)
def test_a_format_is_told_by_its_columns(row: Mapping[str, Any], form: str, tmp_path: Path) -> None:
    assert shape_of(Import(file=table(tmp_path, row), source="study")).name == form


def test_columns_that_two_formats_have_tell_nothing(tmp_path: Path) -> None:
    both = TELEGRAM | JUNKIPEDIA
    assert shape_of(Import(file=table(tmp_path, both), source="study")).name == "csv"
    assert shape_of(Import(file=table(tmp_path, both), source="study", format="4cat")).name == "4cat"


def test_a_telegram_row_of_4cat_is_the_post_that_a_crawl_finds(desk: Desk, tmp_path: Path) -> None:
    post = kept(desk, table(tmp_path, TELEGRAM))
    assert post.id == desk.keys.post_id("telegram", "https://t.me/vuonthuoc/41")
    assert post.created_at == datetime.fromtimestamp(1794700800, UTC)  # not the other column, in the server's time
    assert post.edited_at == datetime.fromtimestamp(1794704400, UTC)
    assert post.text == "[user] dặn: ngậm nước muối là khỏi hẳn bệnh sởi"


def test_a_bluesky_row_of_4cat_is_the_post_that_a_crawl_finds(desk: Desk, tmp_path: Path) -> None:
    post = kept(desk, table(tmp_path, BLUESKY))
    assert post.id == desk.keys.post_id("bluesky", BLUESKY["id"])
    assert (post.platform, post.url) == ("bluesky", None)
    assert "Mộc Lan" not in post.text


def test_a_row_of_junkipedia_says_null_for_nothing_and_names_no_channel(desk: Desk, tmp_path: Path) -> None:
    post = kept(desk, table(tmp_path, JUNKIPEDIA))
    assert (post.platform, post.title, post.url) == ("facebook", "", None)
    assert post.created_at == datetime(2026, 11, 15, 1, 0, tzinfo=UTC)
    assert post.text == "[user] chia sẻ: lá đu đủ trị sốt xuất huyết"


def test_an_object_of_junkipedias_interface_is_read_too(desk: Desk, tmp_path: Path) -> None:
    fields = {"platform_name": "TikTok", "description": "Uống nước tỏi là khỏi cảm", "channel_name": "vuon_thuoc_88"}
    about = {"published_at": "2026-11-15T01:00:00.000Z", "post_uid": "77", "url": "https://video.example/77"}
    post = kept(desk, lines(tmp_path, {"id": "5", "attributes": about | {"search_data_fields": fields}}))
    assert (post.platform, post.text) == ("tiktok", "Uống nước tỏi là khỏi cảm")
    assert post.created_at == datetime(2026, 11, 15, 1, 0, tzinfo=UTC)


def test_a_story_of_media_cloud_is_dated_by_its_publication_and_is_the_feeds_article(
    desk: Desk, tmp_path: Path
) -> None:
    post = kept(desk, table(tmp_path, STORY))
    assert post.url == "https://songxanh.example/suc-khoe/nuoc-chanh-77.html"
    assert post.id == desk.keys.post_id("feed", post.url)
    assert post.created_at == datetime(2026, 11, 14, tzinfo=UTC)
    assert post.text == STORY["title"]


def test_a_story_without_a_publication_date_counts_as_collected_now(desk: Desk, tmp_path: Path) -> None:
    post = kept(desk, table(tmp_path, STORY | {"publish_date": ""}))
    assert (post.created_at, post.collected_at) == (None, desk.now())


def test_no_author_column_is_kept_anywhere(desk: Desk, tmp_path: Path) -> None:
    for number, row in enumerate((TELEGRAM, BLUESKY, JUNKIPEDIA)):
        import_file(desk, Import(file=table(tmp_path, row, name=f"{number}.csv"), source=f"s{number}"))
    named = [value for row in (TELEGRAM, BLUESKY, JUNKIPEDIA) for key, value in row.items() if "author" in key.lower()]
    named += ["Hội Vườn Thuốc Nam", "vuonthuoc/posts"]
    names = [name for name in named if len(name) > 4]
    for file in (tmp_path / "desk").rglob("*"):
        body = file.read_bytes() if file.is_file() else b""
        assert [name for name in names if name.encode() in body] == [], file.name


def test_a_named_format_is_read_whatever_the_file_is_called(desk: Desk, tmp_path: Path) -> None:
    assert kept(desk, table(tmp_path, STORY, name="download.txt"), "mediacloud").platform == "feed"


@pytest.mark.parametrize("form", ["4cat", "junkipedia", "csv"])
def test_a_file_without_a_text_column_is_refused_with_its_columns(form: str, tmp_path: Path, desk: Desk) -> None:
    file = table(tmp_path, {"colour": "red", "size": "4"})
    with pytest.raises(ConfigError, match=r"no column holds the text \(colour, size\): name it with --map"):
        import_file(desk, Import(file=file, source="study", format=form))


def test_an_unknown_format_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="use 4cat, junkipedia, mediacloud, csv, jsonl or auto"):
        shape_of(Import(file=table(tmp_path, STORY), source="study", format="xlsx"))


def test_a_column_map_goes_before_the_formats_own(desk: Desk, tmp_path: Path) -> None:
    file = table(tmp_path, TELEGRAM | {"Note": "Một bài khác hẳn về dịch sởi"})
    wanted = Import(file=file, source="study", columns={"text": "Note"})
    import_file(desk, wanted)
    assert [post.text for post in all_posts(desk)] == ["Một bài khác hẳn về dịch sởi"]


def test_rows_nested_without_end_and_cells_without_header_harm_nothing(desk: Desk, tmp_path: Path) -> None:
    deep: Any = "x"
    for _ in range(900):
        deep = {"attributes": deep}
    file = lines(tmp_path, {"text": "Một bài về sức khỏe", "extra": deep}, {"attributes": deep})
    assert import_file(desk, Import(file=file, source="study")) == {"stored": 1, "dropped(empty)": 1}
    ragged = tmp_path / "ragged.csv"
    ragged.write_text("text,date\nMột bài thật khác,2026-11-15,1,2,3\n", encoding="utf-8")
    assert import_file(desk, Import(file=ragged, source="study")) == {"stored": 1}
