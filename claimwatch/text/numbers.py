"""Numbers that reach or name a person: phones, identity papers, cards, bank accounts."""

import re

from claimwatch.text.normalise import WORD
from claimwatch.text.spans import Decide, Rule, Span, lookalike, replace, whole

_S = r"[ .\-()·•\ufe0f\u20e3]{0,3}"  # between two digits of one phone number
_ALONE = r"(?<!\d)(?<!\d[.,])"  # not the middle of a longer number
_NO_HOTLINE = r"(?!1[89]00)"  # 1800 and 1900 lines are public
_NO_AMOUNT = (
    rf"(?!\d| ?(?:đồng|dong|vnđ|vnd|đ|usd|\$|%|tr|triệu|trieu|tỷ|tỉ|ty|ca|người|nguoi|liều|lieu|people|cases|doses)"
    rf"(?![{WORD}]))"
)


def _after(cues: str, gap: str, number: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![{WORD}])(?:{cues})(?![{WORD}]){gap}(?P<number>{number}){_NO_AMOUNT}", re.IGNORECASE)


_ACCOUNT = _after(
    r"stk|số tk|so tk|tk số|tk so|tk|số tài khoản|so tai khoan|tài khoản(?: ngân hàng| nh)? số|tai khoan so"
    r"|account (?:no\.?|number)|acct",
    r"[^\d\n]{0,30}",
    rf"{_NO_HOTLINE}\d(?:[ .\-]?\d){{5,18}}+",
)
_PAPER_CUES = (
    r"cccd|cmnd|cmt|cmtnd|căn cước(?: công dân)?|can cuoc(?: cong dan)?|chứng minh(?: nhân dân| thư)?"
    r"|chung minh(?: nhan dan| thu)?|số định danh|so dinh danh|mã định danh|ma dinh danh|mã số thuế|ma so thue|mst"
    r"|bhyt|bhxh|id (?:no\.?|number|card)"
)
_PAPER = _after(_PAPER_CUES, r"[^\d\n]{0,20}", r"\d(?:[ .\-]?\d){8,14}+")
_PASSPORT = _after(r"passport|hộ chiếu|ho chieu", r"[^\d\n]{0,20}", r"\d{7,9}+")
_PAPER_BEFORE = re.compile(
    rf"{_ALONE}(?P<number>\d{{9}}|\d{{12}})(?!\d)(?=[^\d\n{WORD}]{{0,5}}(?:{_PAPER_CUES})(?![{WORD}]))", re.IGNORECASE
)
_CITIZEN = re.compile(rf"{_ALONE}(?:0\d{{11}}|0\d\d(?:[ .\-]\d{{3}}){{3}}|0\d{{3}}(?:[ .\-]\d{{4}}){{2}})(?!\d)")
_CARD = re.compile(
    r"(?<![\d+])(?<!\d[.,])(?!00)(?:\d{4}([ .\-]?)\d{4}\1\d{4}\1\d{1,7}|3\d{3}[ \-]?\d{6}[ \-]?\d{5}|\d{13,19})(?!\d)"
)
_VIETNAM = re.compile(
    rf"{_ALONE}(?:\((?=[+\d ]{{1,6}}\)))?(?:(?:(?:\+|00){_S})?84{_S}(?:0{_S})?|0{_S})"
    rf"(?:[35789](?:{_S}\d){{8}}|[12](?:{_S}\d){{9}})(?!\d)"
)
_OLD_CITY = re.compile(rf"\(0\d{{1,3}}\)(?:{_S}\d){{6,8}}(?!\d)")
_ABROAD = re.compile(rf"(?:\+ ?\(?|{_ALONE}00)[1-9](?:{_S}\d){{7,14}}(?!\d)")
_AMERICA = re.compile(r"(?<![\d\-])(?<!\d[.,])(?:1[ .\-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[.\-])\d{3}[.\-]\d{4}(?!\d)")
_CUED = _after(
    r"sđt|sdt|đt|dt|đtdđ|điện thoại|dien thoai|phone|mobile|tel|zalo|viber|whatsapp|hotline|call|gọi|goi|lh"
    r"|liên hệ|lien he",
    r"[^\d\n+]{0,12}",
    rf"\+?{_NO_HOTLINE}\d(?:{_S}\d){{8,11}}+",
)
_RUN = re.compile(rf"{_ALONE}0\d{{9,10}}(?!\d)")
_LONG = re.compile(rf"{_ALONE}\d{{13,}}")

_SIX_DIGITS = re.compile(r"(?:[0-9]\W{0,3}){6}")  # the shortest account number; most texts have none
_COUNT = re.compile(r"[1-9]\d{0,2}(?:[.,]\d{3})+")
_DATE = re.compile(
    r"(?<!\d)(?:(?:[0-3]?\d[.\-])?[01]?\d[.\-](?:19|20)\d\d|(?:19|20)\d\d([.\-])[01]?\d\1[0-3]?\d)(?!\d)"
)


def without_numbers(text: str) -> str:
    """Replace personal numbers. Counts, dates, money, hotlines and numbers under nine digits stay."""
    return replace(text, _RULES) if _SIX_DIGITS.search(lookalike(text)) else text


def _is_figure(number: str) -> bool:
    """Whether it reads as a count with its thousands apart, or holds a date."""
    return bool(_COUNT.fullmatch(number.lstrip("+"))) or bool(_DATE.search(number))


def _is_one_number(number: str) -> bool:
    """Whether the digit groups belong together: long ones, or all parted by the same sign, and no counting up."""
    groups = re.findall(r"\d+", number)
    if groups == sorted(set(groups)) and {len(group) for group in groups} == {2}:
        return False
    signs = [between.strip(" ()") or " " for between in re.findall(r"(?<=\d)\D+(?=\d)", number)][1:]
    return len(set(signs)) <= 1 or all(len(group) >= 3 for group in groups[1:])


def _vietnamese_phone(found: re.Match[str]) -> Span | None:
    marked = found[0].lstrip("(").startswith(("+", "0"))
    if _DATE.search(found[0]) or not _is_one_number(found[0]) or (not marked and _is_figure(found[0])):
        return None
    return found.start(), found.end(), "[phone]"


def _foreign_phone(found: re.Match[str]) -> Span | None:
    short_group = any(len(group) < 2 for group in re.findall(r"\d+", found[0])[2:])
    return None if short_group or _is_figure(found[0]) else (found.start(), found.end(), "[phone]")


def _cued_phone(found: re.Match[str]) -> Span | None:
    number = found["number"]
    vietnamese = number.startswith("84") and not _DATE.search(number)
    if not vietnamese and (_is_figure(number) or not _is_one_number(number)):
        return None
    return *found.span("number"), "[phone]"


def _cued(placeholder: str) -> Decide:
    def decide(found: re.Match[str]) -> Span | None:
        return None if _is_figure(found["number"]) else (*found.span("number"), placeholder)

    return decide


def _card(found: re.Match[str]) -> Span | None:
    return (found.start(), found.end(), "[card]") if _passes_luhn(found[0]) else None


def _passes_luhn(number: str) -> bool:
    """The check sum that all payment cards carry."""
    digits = [int(char) for char in reversed(number) if char.isdigit()]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return any(digits) and (sum(digits[::2]) + sum(doubled)) % 10 == 0


#: In this order: a cue tells more than a shape, and a longer shape more than a shorter one.
_RULES: tuple[Rule, ...] = (
    (_ACCOUNT, _cued("[card]")),
    (_PAPER, _cued("[id]")),
    (_PASSPORT, _cued("[id]")),
    (_PAPER_BEFORE, whole("[id]")),
    (_CITIZEN, whole("[id]")),
    (_CARD, _card),
    (_VIETNAM, _vietnamese_phone),
    (_OLD_CITY, whole("[phone]")),
    (_ABROAD, _foreign_phone),
    (_AMERICA, whole("[phone]")),
    (_CUED, _cued_phone),
    (_RUN, whole("[phone]")),
    (_LONG, whole("[id]")),
)
