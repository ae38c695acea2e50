"""What every parser asks of an answer before reading it: its headers, its JSON, and whether it is an error."""

import json
import re
from collections.abc import Mapping
from typing import Any

#: Status code -> problem. The words after the code are for the operator and never come from the answer.
_BY_STATUS = {
    400: "bad_request: the server did not accept the question",
    401: "login_needed: the server asks for a sign-in",
    403: "forbidden: the server refuses this question",
    404: "not_found: the server knows no such thing",
    410: "gone: the server says this was removed",
    422: "login_needed: the server answers this only to signed-in users",
    429: "rate_limited: too many questions, wait before the next",
}
_UNAVAILABLE = "unavailable: the server has a fault of its own, try later"
_UNNAMED = "refused: the server answered with an error in place of posts"

#: First match wins. Servers answer in the reader's language, so each code has its words in several.
_WORDS = {
    429: """too many requests|rate.?limit|throttl|zu viele anfragen|回数制限|リクエスト.{0,8}(多|制限)|trop de requ
        |demasiadas (solicitudes|peticiones)|muitas (solicita|requisi)|troppe richieste|te veel|слишком много
        |quá nhiều|请求过多|请求次数|請求|요청.{0,8}(많|초과)|performed this action too many""",
    422: """requires an authenticated user|authenti[fs]izierten? benutzer|認証された(ユーザ|アカウント)
        |utilisateur.{0,12}authentifi|usuario autenticado|người dùng (đã )?(được )?xác thực""",
    401: """access token|zugriffs-?token|アクセストークン|jeton d.acc|token d[ei] acces[so]o?|mã (truy cập|thông báo)
        |访问令牌|存取權杖|액세스 토큰|unauthori[sz]ed|not authenticated|authentication required|invalid_token
        |please (log|sign) ?in|login required|chưa đăng nhập|требуется авторизация""",
    404: """not found|nicht gefunden|見つかりません|introuvable|no (se )?(ha )?encontrad|não (foi )?encontrad
        |non trovat|niet gevonden|не найден|không tìm thấy|未找到|找不到|찾을 수 없""",
    403: r"""not allowed|forbidden|not permitted|nicht erlaubt|許可されて|interdit|prohibid|proibid|vietat|запрещ
        |bị cấm|không được phép|access denied|禁止|금지|\bblocked\b""",
    503: """temporary problem|could not be fetched|service unavailable|bad gateway|gateway time-?out
        |internal server error|maintenance|bảo trì""",
}
_BY_WORDS = {code: re.compile(re.sub(r"\s*\n\s*", "", words), re.IGNORECASE) for code, words in _WORDS.items()}
_TITLE = re.compile(r"<(?:title|h1)\b[^>]*>([^<]{0,200})", re.IGNORECASE)
_CODE = re.compile(r"\s*(?:(?:http|error|status|code)[\s:/\d.]{0,6}?){0,3}([45]\d\d)(?![\d.,])", re.IGNORECASE)


def header(headers: Mapping[str, str], name: str) -> str:
    """The value of a header whatever the case of its name, "" where it is absent."""
    wanted = name.lower()
    return next((str(value) for key, value in headers.items() if str(key).lower() == wanted), "")


def read_json(body: bytes, headers: Mapping[str, str]) -> Any:
    """The JSON of an answer, in any charset, without lone surrogates. Raises ValueError where it is none."""
    text = _decode(body, header(headers, "content-type"))
    try:
        answer = json.loads(text)
        if "\\ud" not in text.lower():
            return answer
        # A lone surrogate escape is legal JSON and no legal text: no store can write it.
        return json.loads(json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def is_cut_off(body: bytes) -> bool:
    """Whether a body that is no JSON begins as one and never ends: the connection broke."""
    text = body.strip().removeprefix(b"\xef\xbb\xbf")
    closing = {b"[": b"]", b"{": b"}"}.get(text[:1])
    return closing is not None and (not text.endswith(closing) or text.count(closing) < text.count(text[:1]))


def error_of(answer: Any, headers: Mapping[str, str]) -> str | None:
    """The problem a JSON error object stands for, None where `answer` is no error."""
    if not isinstance(answer, dict):
        return None
    said = [answer.get(key) for key in ("error", "errors", "error_type", "error_description")]
    if not any(said):
        return None
    return _problem(_status(headers) or _status_in(answer), json.dumps(said, ensure_ascii=False), headers)


def error_page_of(body: bytes, headers: Mapping[str, str]) -> str | None:
    """The problem an HTML or plain-text error page stands for, None where the body is not known as one."""
    text = body[:20_000].decode("utf-8", "replace")
    status = _status(headers)
    if status is not None:
        return _problem(status, text, headers)
    heads = _TITLE.findall(text) if "<" in text else [text[:200]]
    codes = [int(code[1]) for head in heads if (code := _CODE.match(head))]
    found = codes[0] if codes else _by_words(" ".join(heads))
    return _problem(found, "", headers) if found else None


def _decode(body: bytes, content_type: str) -> str:
    """JSON is UTF-8 by its standard; a server that breaks it mostly says so in its header."""
    declared = re.search(r"charset=[\"']?([\w.:-]+)", content_type, re.IGNORECASE)
    for charset in (json.detect_encoding(body), declared[1] if declared else "", "windows-1252"):
        try:
            return body.decode(charset, "strict")
        except (LookupError, UnicodeError):
            continue
    return body.decode("utf-8", "replace")


def _status(headers: Mapping[str, str]) -> int | None:
    """The error code of the answer, where the reader of the answer put it among the headers."""
    said = header(headers, ":status") or header(headers, "status")
    code = _CODE.match(said.strip())
    return int(code[1]) if code else None


def _status_in(answer: Mapping[str, Any]) -> int | None:
    nested = answer.get("error")
    for holder in (answer, nested if isinstance(nested, dict) else {}):
        for key in ("status", "statusCode", "status_code", "code", "error"):
            value = holder.get(key)
            if isinstance(value, int) and not isinstance(value, bool) and 400 <= value < 600:
                return value
    return None


def _by_words(text: str) -> int | None:
    return next((code for code, words in _BY_WORDS.items() if words.search(text)), None)


def _problem(status: int | None, text: str, headers: Mapping[str, str]) -> str:
    if status is None:
        status = 401 if header(headers, "www-authenticate") else _by_words(text)
    if status is None and header(headers, "x-ratelimit-remaining").strip() == "0":
        status = 429
    if status is None:
        return _UNNAMED
    return _BY_STATUS.get(status) or (_UNAVAILABLE if status >= 500 else _UNNAMED)
