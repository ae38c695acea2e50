"""Links as they come from strangers: made absolute, freed of tracking and secrets, and judged for names."""

import re
from collections.abc import Callable, Mapping
from urllib.parse import SplitResult, unquote, urljoin, urlsplit, urlunsplit

from crawlers.answers import header

_TRACKING = re.compile(
    r"(utm_.*|mtm_.*|at_(medium|campaign|custom\d|link\w*|format|bbc_team)|fbclid|gclid|gclsrc|dclid|gbraid|wbraid"
    r"|msclkid|yclid|twclid|ttclid|igshid|igsh|mibextid|mc_cid|mc_eid|mkt_tok|_ga|_gl|ncid|cmpid|ocid|xtor|wt_mc"
    r"|__twitter_impression|guccounter|guce_referrer\w*|_hsenc|_hsmi|vero_id|zarsrc|vn_source|vn_medium|vn_campaign"
    r"|ref_src|ref_url|feature|ab_channel)",
    re.IGNORECASE,
)
_SECRET = re.compile(
    r"(.*(token|secret|passw|credential|signature).*|pwd|auth(orization)?|(api|app|access)_?key|jwt|x-amz-.*)",
    re.IGNORECASE,
)
#: Secrets of an interface, but story numbers on old news sites: taken out of page addresses only.
_INTERFACE_SECRET = re.compile(r"(key|sid|sig|pass|session(_?id)?|client_id)", re.IGNORECASE)
#: A page cursor that only sounds like a secret: without it the next page is the first again.
_CURSORS = frozenset({"page_token", "pagetoken", "nextpagetoken", "next_page_token", "continuation_token"})

#: Hosts (with all below them) where the path of nearly every page is somebody's.
_SOCIAL = (
    "facebook.com", "fb.com", "fb.watch", "instagram.com", "threads.net", "threads.com", "twitter.com", "x.com",
    "tiktok.com", "linkedin.com", "bsky.app", "bsky.social", "t.me", "telegram.me", "vk.com", "ok.ru", "weibo.com",
    "zalo.me", "snapchat.com", "pinterest.com", "truthsocial.com", "gab.com", "gettr.com", "minds.com", "quora.com",
    "mastodon.social", "tumblr.com", "livejournal.com", "nitter.net", "about.me", "linktr.ee", "onlyfans.com",
    "patreon.com", "ko-fi.com",
)  # fmt: skip
#: Hosts that give each writer a subdomain of their own.
_HOMESTEADS = (
    "blogspot.com", "wordpress.com", "substack.com", "medium.com", "github.io", "gitlab.io", "wixsite.com",
    "weebly.com", "ghost.io", "neocities.org", "micro.blog", "bearblog.dev", "write.as", "hashnode.dev",
)  # fmt: skip
_NAMING_PATH = re.compile(
    r"/(@|~|%40|%7e)[^/]|/(profile|author|user|member)\.php"
    r"|/(users?|u|profiles?|people|person|members?|authors?|by|writers?|columnists?|contributors?|channel|tac-gia"
    r"|nguoi-dung|thanh-vien|trang-ca-nhan)/.",
    re.IGNORECASE,
)
_NAMING_KEY = re.compile(
    r"author(_?(name|id))?|users?(_?(name|id))?|uid|profile(_?id)?|member|screen_name", re.IGNORECASE
)
#: What follows in a path is an account's name: /@mai, /users/mai, /u/mai, /profile/mai.
_SPELLED_NAME = re.compile(r"/(?:@|%40|users?/|u/|profiles?/)([^/?#@]{3,})", re.IGNORECASE)
_LINK = re.compile(r"<([^<>]*)>\s*((?:;[^,<]*|,(?!\s*<))*)")
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]+))", re.IGNORECASE)


def clean_link(link: str, base: str = "") -> str:
    """The link made absolute, without tracking, fragment, secrets or sign-in; "" where it is no web address."""
    parts = _split(link, base)
    if parts is None:
        return ""
    query = _keep(parts.query, lambda key: not _TRACKING.fullmatch(key) and not _is_secret(key))
    fragment = parts.fragment if parts.fragment.startswith("!") else ""
    return urlunsplit((parts.scheme, _netloc(parts), parts.path or "/", query, fragment))


def without_secrets(link: str) -> str:
    """A web address to follow, unchanged but for sign-in and token-like parameters; "" where it is none."""
    parts = _split(link)
    if parts is None:
        return ""
    query = _keep(parts.query, lambda key: not _is_secret(key) and not _INTERFACE_SECRET.fullmatch(key))
    if "@" not in parts.netloc and query == _keep(parts.query, lambda _: True):
        return link.strip()
    return urlunsplit((parts.scheme, _netloc(parts), parts.path, query, parts.fragment))


def host_of(link: str) -> str:
    """The host of a web address in small letters, without port and `www.`; "" where there is none."""
    parts = _split(link)
    return (parts.hostname or "").removeprefix("www.") if parts else ""


def is_home_page(link: str) -> bool:
    """Whether the link leads to a site's front page, which is no single article."""
    parts = _split(link)
    return parts is not None and parts.path in ("", "/") and not parts.query


def names_person(link: str) -> bool:
    """Whether a link may name somebody: a social network, a personal site, an author's or user's page."""
    parts = _split(link)
    if parts is None:
        return True
    host = (parts.hostname or "").removeprefix("www.")
    if any(host == known or host.endswith(f".{known}") for known in (*_SOCIAL, *_HOMESTEADS)):
        return True
    if _NAMING_PATH.search(parts.path):
        return True
    return any(_NAMING_KEY.fullmatch(pair.partition("=")[0]) for pair in parts.query.split("&"))


def names_in(link: str) -> set[str]:
    """The account names that a link spells out, so that they can be scrubbed from the text beside it."""
    return {unquote(name) for name in _SPELLED_NAME.findall(link)}


def related(headers: Mapping[str, str], rel: str) -> str:
    """The address the Link header gives for `rel` (such as next), verbatim; "" where it gives none."""
    for target, parameters in _LINK.findall(header(headers, "link")):
        found = _REL.search(parameters)
        if found and rel in (found[1] or found[2]).lower().split():
            return str(target).strip()
    return ""


def _split(link: str, base: str = "") -> SplitResult | None:
    if not link.strip():
        return None  # joined to a base it would be the base
    try:
        bare = re.sub(r"\s", "%20", link.strip())
        parts = urlsplit(urljoin(base, bare) if base else bare)
        _ = parts.port  # raises where the port is no number
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") and parts.hostname else None


def _netloc(parts: SplitResult) -> str:
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    usual = {"http": 80, "https": 443}[parts.scheme]
    return host if parts.port in (None, usual) else f"{host}:{parts.port}"


def _is_secret(key: str) -> bool:
    return key.lower() not in _CURSORS and _SECRET.fullmatch(key) is not None


def _keep(query: str, wanted: Callable[[str], bool]) -> str:
    """The query with only the wanted keys, spelled as it was: some sites tell %20 from +."""
    return "&".join(pair for pair in query.split("&") if pair and wanted(unquote(pair.partition("=")[0])))
