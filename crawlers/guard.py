"""Which addresses a source may lead to: public ones, and the hosts that its operator named in `allow_hosts`."""

from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

#: Everything that is not the public Internet, whatever the Python at hand takes for global (IANA's registries, 2026).
_CLOSED4 = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16",
    "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
)  # fmt: skip
_NETWORKS4 = tuple(map(ip_network, _CLOSED4))
#: The only IPv6 addresses in public use; within them, ways to reach an IPv4 address, and addresses of no host.
_OPEN6 = ip_network("2000::/3")
_NETWORKS6 = tuple(map(ip_network, ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")))
_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public Internet. IPv4 inside IPv6 never is: it would hide where it leads."""
    known = _address(address)
    if isinstance(known, IPv4Address):
        return not any(known in network for network in _NETWORKS4)
    return known is not None and known in _OPEN6 and not any(known in network for network in _NETWORKS6)


def is_named(url: str, allow_hosts: Collection[str]) -> bool:
    """Whether the operator named the URL's host, with any port or with this one."""
    parts = _split(url)
    if parts is None or not parts.hostname:
        return False
    host = _plain(parts.hostname)
    bracketed = f"[{host}]" if ":" in host else host
    port = parts.port or _PORTS.get(parts.scheme, 0)
    return any(_plain(one) in (host, bracketed, f"{bracketed}:{port}") for one in allow_hosts)


def origin(url: str) -> str:
    """Scheme, host and port of a URL: whom a credential is for."""
    parts = urlsplit(url)
    port = parts.port or _PORTS.get(parts.scheme, 0)
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}"


def hosts_in(listed: object) -> tuple[str, ...]:
    """The hosts of a list, or of a text with commas or spaces between them."""
    given = listed.replace(",", " ").split() if isinstance(listed, str) else listed
    return tuple(str(one) for one in given) if isinstance(given, list | tuple) else ()


def fault_of(url: str, allow_hosts: Collection[str] = ()) -> str:
    """Why this URL is not asked, as one line that names no secret; "" where nothing speaks against it yet.

    A host name can only be judged once it is resolved: `refusal` says what then.
    """
    parts = _split(url)
    if parts is None or not parts.hostname:
        return "the address cannot be read: give one such as https://example.org/feed"
    if parts.scheme not in _PORTS:
        return f"{parts.scheme[:12] or 'no'}: is no scheme to crawl: give an address with http or https"
    if "@" in parts.netloc:
        return "the address holds a user name or password: leave out what stands before the @"
    if _address(parts.hostname) and not is_public(parts.hostname) and not is_named(url, allow_hosts):
        return refusal(parts.hostname)
    return ""


def refusal(host: str) -> str:
    """What to tell the operator of a host that is not on the public Internet."""
    return f"{host} is not on the public Internet: if it may be crawled, name it in the source's allow_hosts"


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return None
    return parts


def _plain(host: str) -> str:
    host = host.strip().lower().rstrip(".")
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        return host


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None
