"""Mail: where it goes out, how a message is made of words nobody trusts, and what the server said to it.

A server's lasting refusal (5xx) of one address ends that address; every other trouble may pass and is tried again.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib
from aiosmtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException
from msgspec import Struct

from tollhouse.core.notice import Answer

WORDS_MAX: Final = 200
_SUBJECT_MAX: Final = 400
_LASTING: Final = 500
_ENCODED: Final = "=?"  # begins an encoded word, which the library would decode, line breaks and all
_PORTS: Final = {"smtp": 25, "smtps": 465}.items()


class MailServer(Struct, frozen=True, kw_only=True):
    """`tls`: from the first byte. `starttls`: demanded before anything is sent."""

    host: str
    port: int
    user: str | None = None
    password: str | None = None
    tls: bool = False
    starttls: bool = False


class Letter(Struct, frozen=True, kw_only=True):
    """`id`: the same at every try, so that a reader's program can tell a second copy."""

    to: Sequence[str]
    subject: str
    text: str
    id: str


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


def message(letter: Letter, sender: Address, now_ms: int) -> EmailMessage:
    """Plain text. Whatever a subject holds, it stays one line of a header."""
    made = EmailMessage()
    made["From"] = sender
    made["To"] = ", ".join(address for address in letter.to if _ENCODED not in address) or "undisclosed-recipients:;"
    made["Subject"] = _one_line(letter.subject).replace(_ENCODED, "= ?")[:_SUBJECT_MAX]
    made["Date"] = format_datetime(datetime.fromtimestamp(now_ms / 1000, UTC))
    made["Message-ID"] = f"<{letter.id}@{sender.domain or 'localhost'}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content("".join(f"{_one_line(line)}\n" for line in letter.text.split("\n")))
    return made


async def send(server: MailServer, sender: Address, letter: Letter, now_ms: int, seconds_max: float) -> Answer:
    """Hand a letter to the server, to all its readers at once. Raises nothing."""
    try:
        async with asyncio.timeout(seconds_max):
            refused, said = await aiosmtplib.send(
                message(letter, sender, now_ms),
                sender=sender.addr_spec,
                recipients=list(letter.to),
                hostname=server.host,
                port=server.port,
                username=server.user,
                password=server.password,
                use_tls=server.tls,
                start_tls=server.starttls,
                timeout=seconds_max,
            )
    except SMTPRecipientsRefused as error:
        return _refused({one.recipient: (one.code, one.message) for one in error.recipients}, reached=False)
    except SMTPResponseException as error:
        return Answer(ok=False, status=error.code, words=_words(error.message), left=tuple(letter.to))
    except TimeoutError:
        return Answer(ok=False, words="the mail server did not answer in time", left=tuple(letter.to))
    except (SMTPException, OSError, ValueError) as error:
        return Answer(ok=False, words=_words(str(error)), left=tuple(letter.to))
    if refused:
        return _refused({address: (one.code, one.message) for address, one in refused.items()}, reached=True)
    return Answer(ok=True, status=250, words=_words(said))


async def greet(server: MailServer, seconds_max: float) -> Answer:
    """Say hello as a sender would, with user and password where there are such, and leave: nothing is sent. Raises
    nothing."""
    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        username=server.user,
        password=server.password,
        use_tls=server.tls,
        start_tls=server.starttls,
        timeout=seconds_max,
    )
    try:
        async with asyncio.timeout(seconds_max), client:
            said = await client.ehlo()
    except SMTPResponseException as error:
        return Answer(ok=False, status=error.code, words=_words(error.message))
    except TimeoutError:
        return Answer(ok=False, words="the mail server did not answer in time")
    except (SMTPException, OSError, ValueError) as error:
        return Answer(ok=False, words=_words(str(error)))
    return Answer(ok=True, status=said.code, words=_words(said.message))


def _refused(refused: dict[str, tuple[int, str]], *, reached: bool) -> Answer:
    """Some addresses were refused. Those refused for now are left; `reached`: others have their mail."""
    left = tuple(address for address, (code, _) in refused.items() if code < _LASTING)
    code, said = next(iter(refused.values()))
    words = _words(f"{', '.join(refused)}: {said}")
    return Answer(ok=reached and not left, status=code, words=words, final=not left, left=left)


def _words(text: str) -> str:
    return _one_line(text)[:WORDS_MAX]


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)
