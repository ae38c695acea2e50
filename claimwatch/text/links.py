"""Links without what names a person: paths and subdomains go, the registrable domain stays."""

import re
from collections.abc import Collection
from functools import cache

import tldextract

from claimwatch.text.normalise import WORD
from claimwatch.text.spans import Span, lookalike, replace

_WITH_SCHEME = re.compile(
    r"(?:(?<![\w+.\-])[a-z][a-z0-9+.\-]{1,20}://?|https?:/{1,3})[^\s<>，。！？、；「」『』]+", re.IGNORECASE
)
_HOST = re.compile(rf"(?<![{WORD}@.\-])(?:[\w\-]++\.)+(?:xn--[a-z0-9\-]{{2,60}}|[a-z]{{2,24}})(?!\w)", re.IGNORECASE)
_DOTTED = re.compile(r"\.(?i:[a-z]{2})")  # what every host has, and most texts have not
_PATH = re.compile(r"(?::\d{2,5})?(?:[/?#][^\s<>，。！？、；「」『』]*)?")
_PATH_START = re.compile(r"(?::\d{2,5})?[/?#][^\s<>]")
_AUTHORITY = re.compile(r"(?:[a-z][\w+.\-]*:)?[/\\]*([^/\\?#]*)", re.IGNORECASE)
_SENTENCE_END = ".,;:!?…'\"’”»)]}"
#: Endings that make a bare `word.ending` a link. Others, such as `.co`, `.me`, `.ca` or `.la`, are also Vietnamese
#: words and turn up wherever the space after a full stop is missing.
_SURE_ENDINGS = re.compile(
    r"com|net|org|info|biz|edu|gov|int|vn|asia|eu|uk|de|fr|jp|cn|kr|ru|sg|xyz|online|site|website|store|shop|club|app"
    r"|dev|blog|news|press|media|tv|fm|io|gg",
    re.IGNORECASE,
)
_PERSONAL_ENDINGS = frozenset({"name", "name.vn", "id.vn"})  # domains meant for a person's own name


@cache
def _suffixes() -> tldextract.TLDExtract:
    return tldextract.TLDExtract(cache_dir=None, suffix_list_urls=())  # the bundled list: no network, no cache file


def link_placeholder(address: str, names: Collection[str] = ()) -> str:
    """`[link DOMAIN]`, or `[link]` for IP addresses, unknown endings and domains that hold one of the bare `names`."""
    authority = _AUTHORITY.match(lookalike(address).lower())
    host = (authority[1] if authority else "").rpartition("@")[2].partition(":")[0][:255].rstrip(".")
    if not re.fullmatch(r"[a-z0-9_\-]+(?:\.[a-z0-9_\-]+)+", host):
        return "[link]"
    found = _suffixes()(host)
    domain = found.top_domain_under_public_suffix
    personal = found.suffix in _PERSONAL_ENDINGS or re.search(r"\d{6}|_", domain)
    if not domain or personal or not {found.domain, domain}.isdisjoint(names):
        return "[link]"
    return f"[link {domain}]"


def without_full_links(text: str, names: Collection[str]) -> str:
    """Replace every URL that has a scheme."""
    if ":/" not in lookalike(text):
        return text

    def decide(found: re.Match[str]) -> Span:
        shown = found[0].rstrip(_SENTENCE_END)
        return found.start(), found.start() + len(shown), link_placeholder(shown, names)

    return replace(text, [(_WITH_SCHEME, decide)])


def without_bare_links(text: str, names: Collection[str]) -> str:
    """Replace every host written without a scheme, with its path."""
    if not _DOTTED.search(lookalike(text)):
        return text

    def decide(found: re.Match[str]) -> Span | None:
        has_path = _PATH_START.match(found.string, found.end()) is not None
        if not _is_link(found[0], has_path=has_path):
            return None
        path = _PATH.match(found.string, found.end())
        tail = path[0].rstrip(_SENTENCE_END) if path else ""
        return found.start(), found.end() + len(tail), link_placeholder(found[0], names)

    return replace(text, [(_HOST, decide)])


def _is_link(host: str, *, has_path: bool) -> bool:
    found = _suffixes()(host)
    if not (found.domain and found.suffix):
        return False
    if has_path or host.lower().startswith("www."):
        return True
    ending = host.rpartition(".")[2]
    if not host.isascii() or (ending[0].isupper() and not ending.isupper()):
        return False  # a sentence that starts without a space: `khỏi.Com`
    return bool(_SURE_ENDINGS.fullmatch(ending) or (found.subdomain and len(found.domain) > 2))
