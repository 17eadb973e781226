"""Where a provider's base URL or a webhook leads, and whether the platform may go there.

Two steps, because a name says little: `read_base_url` and `read_url` read the text when a configuration is applied or a
webhook is set, and refuse what is wrong by its looks; `forbidden` judges each address about to be dialled, after the
name was resolved.
The same parser's host is resolved, dialled and written into `Host`: nobody reads the URL a second time, differently.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final, Literal
from urllib.parse import SplitResult, urlsplit

from msgspec import structs

from tollhouse.core.upstream import UpstreamRoute

_Address = IPv4Address | IPv6Address

# Link-local networks, and the addresses at which clouds hand credentials to whoever asks from inside.
_METADATA: Final = tuple(
    ip_network(text)
    for text in (
        "169.254.0.0/16",
        "fe80::/10",
        "fd00:ec2::/32",  # Amazon
        "fd20:ce::/32",  # Google
        "100.100.100.200/32",  # Alibaba
        "168.63.129.16/32",  # Azure's wire server
        "192.0.0.192/32",  # Oracle
    )
)
_METADATA_NAMES: Final = frozenset(
    {
        "instance-data",
        "instance-data.ec2.internal",
        "metadata",
        "metadata.azure.internal",
        "metadata.goog",
        "metadata.google.internal",
        "metadata.platformequinix.com",
        "metadata.tencentyun.com",
    }
)
_METADATA_ADDRESS: Final = "169.254.169.254"  # what those names stand for
_NAT64: Final = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))
_COMPATIBLE: Final = ip_network("::/96")

NO_METADATA: Final = (
    "the address is link-local or a cloud's metadata service: it needs its own entry in `allow_networks`"
)
NO_PRIVATE: Final = "the address is not public: loopback and private networks need an entry in `allow_networks`"


def read_base_url(
    text: str,
    *,
    ca_file: str | None = None,
    proxy: str | None = None,
    allow_private: bool = True,
    allow_networks: tuple[str, ...] = (),
) -> tuple[UpstreamRoute, str]:
    """The route a base URL names, and its path without a trailing slash, to be put in front of every target.

    Raises ValueError, whose message names the cure and quotes neither the URL nor a password in it.
    """
    parts = split_url(text, "base_url")
    if parts.scheme not in ("http", "https"):
        raise ValueError("base_url must begin with http:// or https://")
    if parts.username is not None or parts.password is not None:
        raise ValueError("base_url holds a user name or password: put the key into api_keys")
    if "?" in text or "#" in text:
        raise ValueError("base_url ends with its path: remove what stands after `?` or `#`")
    if not parts.path.isascii():
        raise ValueError("base_url has a path with characters that must be percent-encoded")
    if proxy is not None:
        read_proxy_url(proxy)
    for network in allow_networks:
        ip_network(network)
    route = _route(parts, "base_url", allow_private, allow_networks)
    route = structs.replace(route, ca_file=ca_file, proxy=proxy)
    return route, parts.path.rstrip("/")


def read_url(text: str, *, allow_networks: tuple[str, ...] = ()) -> tuple[UpstreamRoute, str]:
    """The route and the target of an address that people choose, such as a webhook's: public, unless it lies in one of
    `allow_networks`. Raises ValueError, whose message quotes nothing of it."""
    parts = split_url(text, "the address")
    if parts.scheme not in ("http", "https"):
        raise ValueError("the address must begin with https:// or http://")
    if parts.username is not None or parts.password is not None:
        raise ValueError("the address holds a user name or password")
    if "#" in text or not (parts.path + parts.query).isascii():
        raise ValueError("the address has a `#`, or characters that must be percent-encoded")
    query = f"?{parts.query}" if parts.query else ""
    return _route(parts, "the address", False, allow_networks), f"{parts.path or '/'}{query}"


def _route(parts: SplitResult, name: str, allow_private: bool, allow_networks: tuple[str, ...]) -> UpstreamRoute:
    """Raises ValueError for a host that is refused by its text."""
    scheme: Literal["http", "https"] = "https" if parts.scheme == "https" else "http"
    route = UpstreamRoute(
        scheme=scheme,
        host=read_host(parts, name),
        port=parts.port or (443 if scheme == "https" else 80),
        allow_private=allow_private,
        allow_networks=allow_networks,
    )
    if reason := forbidden_host(route.host, route):
        raise ValueError(reason)
    return route


def read_proxy_url(text: str) -> tuple[SplitResult, str, int]:
    """The parts, host and port of `http://[user:password@]host[:port]`. Raises ValueError, which quotes nothing."""
    parts = split_url(text, "proxy")
    if parts.scheme != "http" or parts.path not in ("", "/") or "?" in text or "#" in text:
        raise ValueError("proxy must be http://[user:password@]host:port")
    return parts, read_host(parts, "proxy"), parts.port or 80


def split_url(text: str, name: str) -> SplitResult:
    """Split strictly: what urlsplit would quietly drop (line breaks, tabs) or read in its own way is refused."""
    if any(character <= " " or character in '\\\x7f"<>^`{|}' for character in text):
        raise ValueError(f"{name} holds a blank, a control character, a backslash or a bracket that no URL may hold")
    try:
        parts = urlsplit(text)
        port = parts.port  # raises ValueError where it is no port
    except ValueError:
        raise ValueError(f"{name} has no readable host and port") from None
    if not parts.hostname or port == 0:
        raise ValueError(f"{name} names no host, or port 0")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if parts.netloc.rpartition("@")[2].lower() not in (host, f"{host}:{port}"):
        raise ValueError(f"{name} has something between host and path that is no port")
    return parts


def read_host(parts: SplitResult, name: str) -> str:
    """The host in lower case and ASCII (IDNA); an IP address in its usual spelling, without brackets."""
    host = parts.hostname or ""
    if "[" in parts.netloc or "]" in parts.netloc:
        try:
            address = IPv6Address(host)
        except ValueError:
            raise ValueError(f"{name} has something other than an IPv6 address between its brackets") from None
        if address.scope_id is not None:
            raise ValueError(f"{name} names a network interface (`%`), which is not supported")
        return str(address)
    if not host.isascii():
        try:
            host = host.encode("idna").decode()
        except UnicodeError:
            raise ValueError(f"{name} has a host name that cannot be written in ASCII (IDNA)") from None
    labels = host.rstrip(".").split(".")
    if any(not label or not label.replace("-", "").replace("_", "").isalnum() for label in labels):
        raise ValueError(f"{name} has a host name with characters that no host name may hold")
    if labels[-1].isdigit() or labels[-1].startswith("0x"):
        try:  # 127.1, 0x7f000001 and 2130706433 are addresses to some parsers and names to others
            return str(IPv4Address(host))
        except ValueError:
            raise ValueError(
                f"{name} has an address in an unusual spelling: write it as four decimal numbers"
            ) from None
    return host


def forbidden_host(host: str, route: UpstreamRoute) -> str | None:
    """Judge a host by its text, as far as that goes: addresses, and names that stand for a metadata service."""
    if host.rstrip(".").lower() in _METADATA_NAMES:
        return forbidden(_METADATA_ADDRESS, route)
    return forbidden(host, route) if is_address(host) else None


def is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def forbidden(address: str, route: UpstreamRoute) -> str | None:
    """Why `address` must not be dialled for this route; None where it may.

    An IPv6 address that carries an IPv4 one (mapped, compatible, 6to4, Teredo, NAT64) is judged as the one it carries.
    """
    written = ip_address(address)
    if isinstance(written, IPv6Address) and written.scope_id is not None:
        written = IPv6Address(int(written))
    reached = _carried(written) or written
    for text in route.allow_networks:
        network = ip_network(text)
        if any(network.version == known.version and known in network for known in (written, reached)):
            return None
    if any(network.version == reached.version and reached in network for network in _METADATA):
        return NO_METADATA
    if not route.allow_private and (not reached.is_global or reached.is_multicast):
        return NO_PRIVATE
    return None


def _carried(address: _Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if any(address in network for network in _NAT64) or (address in _COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None
