"""Where mail goes out and who sends it, as an operator wrote them in [mail]."""

from email.headerregistry import Address
from email.utils import parseaddr
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from msgspec import Struct

_PORTS: Final = {"smtp": 25, "smtps": 465}.items()


class MailServer(Struct, frozen=True, kw_only=True):
    """`tls`: from the first byte. `starttls`: demanded before anything is sent."""

    host: str
    port: int
    user: str | None = None
    password: str | None = None
    tls: bool = False
    starttls: bool = False


def read_smtp(url: str) -> MailServer:
    """`smtp://[user:password@]host[:port][?starttls=1]`, or `smtps://`. Raises ValueError, which quotes nothing."""
    ports = dict(_PORTS)
    try:
        parts = urlsplit(url)
        asked = parse_qs(parts.query, strict_parsing=bool(parts.query))
        port = parts.port
    except ValueError:
        raise ValueError("this cannot be read: write smtp://user:password@host:25") from None
    if parts.scheme not in ports or not parts.hostname or parts.path not in ("", "/") or parts.fragment:
        raise ValueError("write smtp://user:password@host:25, smtps:// for TLS, or ?starttls=1 behind the port")
    if set(asked) - {"starttls"} or asked.get("starttls", ["0"]) not in (["0"], ["1"]):
        raise ValueError("behind the ? stands starttls=1, or nothing")
    return MailServer(
        host=parts.hostname,
        port=port or ports[parts.scheme],
        user=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
        tls=parts.scheme == "smtps",
        starttls=asked.get("starttls") == ["1"],
    )


def read_sender(text: str) -> Address:
    """`name <address>`, or the address alone. Raises ValueError."""
    name, address = parseaddr(text)
    if not address or not text.isprintable():
        raise ValueError("write it as name <address>")
    try:
        return Address(display_name=name, addr_spec=address)
    except (ValueError, IndexError):
        raise ValueError("write it as name <address>") from None
