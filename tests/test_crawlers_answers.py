"""What came in place of posts: errors by status, by shape and by their words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.answers import error_of, error_page_of, header, is_cut_off, read_json


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("Record not found", "not_found"),
        ("レコードが見つかりません", "not_found"),
        ("Không tìm thấy", "not_found"),
        ("Der Zugriffstoken ist ungültig", "login_needed"),
        ("This method requires an authenticated user", "login_needed"),
        ("Zu viele Anfragen", "rate_limited"),
        ("This action is not allowed", "forbidden"),
        ("There was a temporary problem serving your request, please try again", "unavailable"),
        ("Etwas anderes", "refused"),
    ],
)
def test_an_error_is_named_in_any_language(said: str, code: str) -> None:
    assert str(error_of({"error": said}, {})).startswith(f"{code}: ")


def test_the_words_of_the_server_are_never_repeated() -> None:
    assert "lan@mail.example" not in str(error_of({"error": "no such user lan@mail.example"}, {}))


def test_status_and_headers_decide_before_words() -> None:
    unknown = {"error": "Etwas anderes"}
    assert str(error_of(unknown, {"Status": "404 Not Found"})).startswith("not_found")
    assert str(error_of(unknown, {":status": "503"})).startswith("unavailable")
    assert str(error_of(unknown, {"WWW-Authenticate": "Bearer"})).startswith("login_needed")
    assert str(error_of(unknown, {"X-RateLimit-Remaining": "0"})).startswith("rate_limited")
    assert str(error_of({"error": {"code": 403, "message": "x"}}, {})).startswith("forbidden")


def test_an_answer_without_error_is_none() -> None:
    assert error_of([], {}) is None
    assert error_of({"error": None, "statuses": []}, {}) is None


def test_error_pages_are_told_by_their_title() -> None:
    page = b"<html><head><title>429 Too Many Requests</title></head><body><h1>429 Too Many Requests</h1></body></html>"
    assert str(error_page_of(page, {})).startswith("rate_limited")
    assert str(error_page_of(b"<h1>Access denied</h1>", {})).startswith("forbidden")
    assert str(error_page_of(b"upstream: Bad Gateway", {})).startswith("unavailable")
    assert str(error_page_of(b"<title>HTTP Error 503</title>", {})).startswith("unavailable")
    assert error_page_of(b"<html><title>Our 404 best recipes from 1,404 readers</title></html>", {}) is None
    assert error_page_of(b"<html><title>News of the day</title><p>Not found</p></html>", {}) is None


def test_json_is_read_in_any_charset_and_without_lone_surrogates() -> None:
    assert read_json('["ế"]'.encode("utf-16"), {}) == ["ế"]
    assert read_json(b'\xef\xbb\xbf["a"]', {}) == ["a"]
    assert read_json('["café"]'.encode("latin-1"), {"Content-Type": "application/json; charset=ISO-8859-1"}) == ["café"]
    assert read_json(rb'["\ud83d\ude00 \ud800"]', {}) == ["\U0001f600 ?"]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 100_000, b"[1" + b"0" * 5000 + b"]"])
def test_what_is_no_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # json's own and Python's number limit share no text
        read_json(body, {})


def test_a_broken_connection_is_told_from_rubbish() -> None:
    assert is_cut_off(b'[{"id": "1"}, {"id": "2", "cont')
    assert is_cut_off(b'[{"id": "1", "tags": []}, {"tags": []')
    assert not is_cut_off(b"<html>")
    assert not is_cut_off(b"{'id': 1}")


def test_header_names_have_no_case() -> None:
    assert header({"eTag": "x"}, "ETag") == "x"
    assert header({}, "ETag") == ""


@given(st.binary())
def test_no_page_raises(body: bytes) -> None:
    problem = error_page_of(body, {})
    assert problem is None or "\n" not in problem
