"""`base_url` as operators write it, read into one normal form, so that no path ever doubles on the wire.

| written                     | becomes                                                               |
|-----------------------------|-----------------------------------------------------------------------|
| `https://h/v1`, `.../v1/`   | `https://h/v1`                                                        |
| `https://h`, `https://h/`   | `https://h/v1`, or the path of the kind's own address                 |
| `https://h/v1/models`       | `https://h/v1`: a whole endpoint was pasted                           |
| `https://h//v1/v1`          | `https://h/v1`                                                        |
| `https://h/v1#`             | `https://h/v1`: `#` at the end means exactly this address, add nothing |
| `https://h#`                | itself, for servers that answer at `/chat/completions`                |
| `h/v1`, `...?x=1`, `u:p@h`  | refused, with the cure                                                |

Reading a normal form gives it back unchanged. A kind whose paths differ has its own rule (`Kind.base_path`).
"""

import ipaddress
import re
from typing import Final, Literal, get_args

from msgspec import Struct

from tollhouse.core.operation import Operation
from tollhouse.providers.kind import Kind

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://", re.ASCII)
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?", re.ASCII)
_PATH = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*", re.ASCII)
_PORT = re.compile(r"[0-9]{1,5}", re.ASCII)
_LOCAL = re.compile(r"(?:localhost|127\.[0-9.]+|host\.docker\.internal)(?::|\Z)", re.ASCII)
_DEFAULT_PORTS: Final = (("http", 80), ("https", 443))
_NOT_IN_A_BASE: Final = ("/models",)  # endpoints that people paste besides the ones a kind calls


class InvalidBaseUrl(ValueError):
    """An address cannot be used; the message says what to write instead. It repeats no password and no query."""


class BaseUrl(Struct, frozen=True):
    """Where a provider is reached. `path` is what stands in front of the kind's own paths: "" or `/v1`."""

    scheme: Literal["http", "https"]
    host: str  # lower case; an IPv6 address without its brackets
    port: int
    path: str
    exact: bool = False  # only a trailing `#` says so: read without it, this path would become another

    @property
    def origin(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if (self.scheme, self.port) in _DEFAULT_PORTS else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def base_url(self) -> str:
        """The normal form."""
        return f"{self.origin}{self.path}{'#' if self.exact else ''}"


def read(kind: Kind, base_url: str) -> BaseUrl:
    """The address an operator wrote; an empty one is the kind's own. Raises InvalidBaseUrl."""
    text = base_url.strip() or kind.base_url
    if not text:
        raise InvalidBaseUrl(f'kind {kind.name!r} needs a base_url, such as "{kind.example}"')
    scheme, rest = _scheme(text)
    rest, hash_sign, fragment = rest.partition("#")
    if fragment:
        raise InvalidBaseUrl(f'a base_url has no fragment: write "{_shown(text)}"')
    if "?" in rest:
        raise InvalidBaseUrl(f'a base_url has no query, it would be lost: write "{_shown(text)}"')
    authority, slash, path = rest.partition("/")
    if "@" in authority:
        raise InvalidBaseUrl("a base_url holds no user and password: put the secret in api_keys")
    host, port = _host_and_port(authority)
    if not port:
        port = dict(_DEFAULT_PORTS)[scheme]
    written = _segments(slash + path)
    usual = _usual(_without_endpoint(written, kind), kind)
    exact = bool(hash_sign) and written != usual
    return BaseUrl(scheme=scheme, host=host, port=port, path=written if exact else usual, exact=exact)


def _usual(path: str, kind: Kind) -> str:
    return path or _own_path(kind) if kind.base_path is None else kind.base_path(path)


def _own_path(kind: Kind) -> str:
    """What stands in front of a kind's own paths where an operator names only the host."""
    _, _, path = kind.base_url.partition("://")[2].partition("/")
    return f"/{path}" if path else "/v1"


def final_url(kind: Kind, base_url: str, operation: Operation) -> str:
    """What is called for an operation, whole. Raises InvalidBaseUrl. Where the model stands in it, it reads MODEL."""
    address = read(kind, base_url)
    target = kind.target(operation, "MODEL", False, kind.speaks)
    return address.origin + address.path + ("" if target is None else target.path)


def _scheme(text: str) -> tuple[Literal["http", "https"], str]:
    match = _SCHEME.match(text)
    if match is None:
        host = text.partition("/")[0].partition("@")[2] or text.partition("/")[0]
        host = host.partition("?")[0].partition("#")[0]
        if _LOCAL.match(host):
            raise InvalidBaseUrl(f'a base_url begins with its scheme: write "http://{host}/v1", or https:// with TLS')
        raise InvalidBaseUrl(f'a base_url begins with its scheme: write "https://{host}/v1", or http:// without TLS')
    scheme, rest = match[1].lower(), text[match.end() :]
    if scheme == "http":
        return "http", rest
    if scheme == "https":
        return "https", rest
    raise InvalidBaseUrl(f"providers are called by http or https, not by {scheme[:20]!r}")


def _shown(text: str) -> str:
    """The same address without what must go."""
    return re.sub(r"//[^/@]*@", "//", text.partition("#")[0].partition("?")[0])


def _host_and_port(authority: str) -> tuple[str, int]:
    host, port = authority, ""
    if authority.startswith("["):
        host, bracket, port = authority[1:].partition("]")
        if not bracket or (port and not port.startswith(":")):
            raise InvalidBaseUrl("an IPv6 address stands between brackets, and only :port may follow")
        port = port[1:]
        try:
            host = str(ipaddress.IPv6Address(host))
        except ValueError:
            raise InvalidBaseUrl(
                "an address in brackets must be an IPv6 address, such as http://[::1]:8000/v1"
            ) from None
    elif ":" in authority:
        host, _, port = authority.partition(":")
    if port and (not _PORT.fullmatch(port) or not 0 < int(port) < 65_536):
        raise InvalidBaseUrl("the port of a base_url is a number from 1 to 65535; an IPv6 address stands in brackets")
    return host if ":" in host else _name(host), int(port or 0)


def _name(host: str) -> str:
    if not host.isascii():
        try:
            cure = host.encode("idna").decode("ascii")
        except UnicodeError:
            raise InvalidBaseUrl("the host of a base_url must be written in ASCII") from None
        raise InvalidBaseUrl(f"the host of a base_url must be written in ASCII: write {cure}")
    labels = host.removesuffix(".").split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise InvalidBaseUrl('a base_url names a host after ://, such as "https://provider.example/v1"')
    return host.lower()


def _segments(path: str) -> str:
    """The path without doubled or trailing slashes, and with `/v1` once."""
    if not _PATH.fullmatch(path):
        raise InvalidBaseUrl("the path of a base_url has a character that must be percent-encoded")
    segments: list[str] = []
    for segment in path.split("/"):
        if segment.replace("%2e", ".").replace("%2E", ".") in (".", ".."):
            raise InvalidBaseUrl("the path of a base_url holds no . or .. segments")
        if segment and not (segment == "v1" and segments[-1:] == ["v1"]):
            segments.append(segment)
    return "".join(f"/{segment}" for segment in segments)


def _without_endpoint(path: str, kind: Kind) -> str:
    ways = [kind.speaks, *((one,) for one in kind.speaks)]
    targets = (kind.target(one, "MODEL", False, speaks) for one in get_args(Operation) for speaks in ways)
    paths = {target.path.partition("?")[0] for target in targets if target is not None}
    endpoints = sorted(
        paths.union(_NOT_IN_A_BASE, (kind.models_path,) if kind.models_path else ()), key=len, reverse=True
    )
    while endpoint := next((endpoint for endpoint in endpoints if path.endswith(endpoint)), ""):
        path = path.removesuffix(endpoint)
    return path
