"""Names and addresses of people: mentions, handles, e-mail, and the account names met beside a post."""

import re
from collections.abc import Collection
from functools import lru_cache

from claimwatch.text.normalise import WORD, visible
from claimwatch.text.spans import Rule, Span, bare, cut, lookalike, replace, whole

_DID = re.compile(r"did:[a-z0-9]{2,12}:[\w.:%\-]+", re.IGNORECASE)
_LOCAL = rf"(?<![{WORD}.+%\-])[.+%\-]*+(?P<local>[{WORD}](?:[{WORD}.+%\-]*[{WORD}])?)"
_DOT = r"(?: {0,3}(?:\.|[(\[{<] {0,2}(?:dot|chấm|cham|\.) {0,2}[)\]}>]) {0,3}| {1,3}(?:dot|chấm|cham) {1,3})"
#: An e-mail address spelled to be read by people only: `ten (at) gmail (dot) com`.
_SPELLED = re.compile(
    rf"{_LOCAL} {{0,3}}[(\[{{<] {{0,2}}(?:at|@|a ?còng|a ?cong) {{0,2}}[)\]}}>] {{0,3}}[\w\-]+(?:{_DOT}[\w\-]+){{0,3}}",
    re.IGNORECASE,
)
_SPACED = re.compile(
    rf"{_LOCAL} {{0,3}}(?: at |@| a ?còng | a ?cong ) {{0,3}}"
    rf"(?:gmail|yahoo|hotmail|outlook|icloud|proton(?:mail)?|ymail|live){_DOT}(?:com|vn|me|net)(?:{_DOT}vn)?(?![\w])",
    re.IGNORECASE,
)
#: What each rule needs to be in a text, most of which have none of it.
_BRACKETED = re.compile(r"[(\[{<] {0,2}(?:at|@|a ?c)", re.IGNORECASE)
_AT_PROVIDER = re.compile(r"(?:@|at |ng ) {0,3}(?:gm|hotm|ym|ya|outl|icl|prot|live)", re.IGNORECASE)
_AFTER_USER = re.compile(r"/[\w\-]{3}")
_AFTER_PLATFORM = re.compile(r"[:/] ?\w+[._]")
_PROVIDERS = ("mail", "yahoo", "outlook", "icloud", "proton", "live")
_GLUED = re.compile(rf"{_LOCAL}@(?P<rest>[{WORD}]+(?:[.\-][{WORD}]+)*)")
#: Letters swapped for @ to slip past filters, such as `v@cxin`: no name, and part of the claim.
_SWAPPED = re.compile(r"[a-z]{1,3}@[a-z]{1,4}")
_MENTION = re.compile(rf"(?<![{WORD}])@(?P<name>[{WORD}]+(?:[.\-][{WORD}]+)*)")
_EDGES = re.compile(rf"^[^{WORD}]+|[^{WORD}]+$")
_NEXT_WORD = re.compile(rf" ([{WORD}]+)")
_REDDIT = re.compile(
    rf"(?<![{WORD}/.])/?(?:u|user)/(?!(?:day|ngay|min|phut|lit|gio|hour)\b)[a-z0-9_\-]{{3,}}(?:@[\w.\-]+)?(?![{WORD}])",
    re.IGNORECASE,
)
#: A dotted or underscored handle behind the name of its platform: `fb: nguyen.van.a`.
_PLATFORM = re.compile(
    rf"(?<![{WORD}])(?:facebook|fb|instagram|insta|ig|tiktok|telegram|tele|zalo|twitter|youtube|yt|threads|skype)"
    rf" ?[:/] ?(?P<name>(?=[\d._]*[a-z])[a-z0-9]+(?:[._]+[a-z0-9]+)+)(?![{WORD}])",
    re.IGNORECASE,
)
#: A handle where it cannot be mistaken: behind an @, or where a link's path names an account.
_SPELLED_OUT = re.compile(
    rf"(?:(?<![{WORD}])@|/users?/|/u/|/profiles?/)(?P<name>[{WORD}]+(?:[.\-][{WORD}]+)*)", re.IGNORECASE
)
_NAMING_PATH = re.compile(r"/(?i:u|p)")
#: Account names that are words of what people talk about here.
_SUBJECT = frozenset(
    {
        "covid",
        "corona",
        "coronavirus",
        "vaccine",
        "vaccines",
        "vaccin",
        "vacxin",
        "virus",
        "health",
        "doctor",
        "doctors",
    }
    | {
        "nurse",
        "medicine",
        "medical",
        "science",
        "hospital",
        "truth",
        "world",
        "people",
        "public",
        "family",
        "children",
    }
    | {"women", "dengue", "cancer", "measles", "suckhoe", "benhvien", "bacsi", "tintuc", "sacxin", "thuoc"}
)


def without_handles(text: str) -> str:
    """Replace decentralised identifiers and e-mail addresses, also those spelled out."""
    seen = lookalike(text)
    spaced = names_mail_provider(text) and _AT_PROVIDER.search(seen)
    needed = (":" in seen, _BRACKETED.search(seen), spaced, "@" in seen)
    return replace(text, [rule for rule, is_needed in zip(_HANDLES, needed, strict=True) if is_needed])


def names_mail_provider(text: str) -> bool:
    """Whether a word that stands in the name of a mail provider is in the text: an address may be spelled out."""
    small = lookalike(text).lower().replace("ı", "i").replace("i\u0307", "i")  # as IGNORECASE takes them
    return any(name in small for name in _PROVIDERS)


def without_mentions(text: str) -> str:
    """Replace @names, u/names and handles behind the name of their platform."""
    seen = lookalike(text)
    needed = ("@" in seen, _AFTER_USER.search(seen), _AFTER_PLATFORM.search(seen))
    return replace(text, [rule for rule, is_needed in zip(_MENTIONS, needed, strict=True) if is_needed])


def bare_names(known: Collection[str]) -> frozenset[str]:
    """The names worth looking for, bare; of `name@host` also the name alone.

    Left out are names that are plain words too: under five letters (`tien` is money), or a word of the subject such as
    `vaccines`; with an @ before them they go all the same.
    """
    spelled = {" ".join(bare(visible(name)).split()) for name in known}
    spelled |= {name.lstrip("@").partition("@")[0] for name in spelled}
    cores = {re.sub(r"^\W+|\W+$", "", name) for name in spelled}
    return frozenset(core for core in cores if len(core) >= 3 and not _is_plain_word(core))


def handles_in(text: str) -> set[str]:
    """The account names that the text's own mentions and links spell out; capitalised words are left to mentions."""
    if "@" not in text and not _NAMING_PATH.search(text):
        return set()
    return {found["name"] for found in _SPELLED_OUT.finditer(text) if not found["name"][0].isupper()}


def without_names(text: str, names: frozenset[str]) -> str:
    """Replace each of the bare `names` where it stands as whole words, whatever its case and diacritics."""
    if not names:
        return text
    seen = bare(text)
    present = frozenset(name for name in names if name.split()[0] in seen)
    if not present:
        return text
    return cut(text, ((*found.span(), "[user]") for found in _pattern_of(present).finditer(seen)))


def _is_plain_word(name: str) -> bool:
    return name.isalpha() and (len(name) < 5 or name in _SUBJECT)


@lru_cache(maxsize=64)
def _pattern_of(names: frozenset[str]) -> re.Pattern[str]:
    longest_first = sorted(names, key=lambda name: (-len(name), name))
    either = "|".join(r"\s{1,3}".join(map(re.escape, name.split())) for name in longest_first)
    return re.compile(rf"@(?:{either})(?![{WORD}]|[.\-@][{WORD}])|(?<![{WORD}@])(?:{either})(?![{WORD}])")


def _glued(found: re.Match[str]) -> Span | None:
    start, rest = found.start("local"), found["rest"]
    if found.string[start - 1 : start] == "@":
        return start - 1, found.end(), "[user]"  # @name@host
    if "." in rest:
        return start, found.end(), "[email]"
    if _SWAPPED.fullmatch(found.string[start : found.end()]) or (found["local"][0] + rest[0]).isdigit():
        return None
    return start, _name_end(found.string, found.end(), rest), "[user]"


def _mention(found: re.Match[str]) -> Span:
    return found.start(), _name_end(found.string, found.end(), found["name"]), "[user]"


def _name_end(text: str, end: int, first: str) -> int:
    """Where a name of up to four capitalised words ends whose first word ends at `end`."""
    if not first[0].isupper():
        return end
    for _ in range(3):
        following = _NEXT_WORD.match(text, end)
        if following is None or not following[1][0].isupper():
            break
        end = following.end()
    return end


def _local_part(found: re.Match[str]) -> Span:
    return found.start("local"), found.end(), "[email]"


_HANDLES: tuple[Rule, ...] = (
    (_DID, whole("[user]")),
    (_SPELLED, _local_part),
    (_SPACED, _local_part),
    (_GLUED, _glued),
)
_MENTIONS: tuple[Rule, ...] = (
    (_MENTION, _mention),
    (_REDDIT, whole("[user]")),
    (_PLATFORM, lambda found: (*found.span("name"), "[user]")),
)
