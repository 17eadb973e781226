"""Mail: how a message is made of words nobody trusts, and what the server said to it.

A server's lasting refusal (5xx) of one address ends that address; every other trouble may pass and is tried again.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

import aiosmtplib
from aiosmtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException
from msgspec import Struct, structs

from tollhouse.core.channel import ChannelBounds
from tollhouse.core.notice import DeliveryResult, Outgoing
from tollhouse.outbound.channel import SECONDS_MAX, AlertChannel, OutboundParts
from tollhouse.outbound.mail_server import MailServer

WORDS_MAX: Final = 200
_SUBJECT_MAX: Final = 400
_LASTING: Final = 500
_TROUBLE: Final = (SMTPException, OSError, ValueError)  # a TimeoutError is an OSError
_ENCODED: Final = "=?"  # begins an encoded word, which the library would decode, line breaks and all


class Letter(Struct, frozen=True, kw_only=True):
    """`id`: the same at every try, so that a reader's program can tell a second copy."""

    to: Sequence[str]
    subject: str
    text: str
    id: str


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


async def send(server: MailServer, sender: Address, letter: Letter, now_ms: int, seconds_max: float) -> DeliveryResult:
    """Hand a letter to the server, to all its readers at once. Raises nothing."""
    readers = tuple(letter.to)
    try:
        async with asyncio.timeout(seconds_max), _client(server, seconds_max) as client:
            refused, said = await client.send_message(
                message(letter, sender, now_ms), sender=sender.addr_spec, recipients=list(readers)
            )
    except SMTPRecipientsRefused as error:
        return _refused({one.recipient: (one.code, one.message) for one in error.recipients}, reached=False)
    except _TROUBLE as error:
        return structs.replace(_told(error), left=readers)
    if refused:
        return _refused({address: (one.code, one.message) for address, one in refused.items()}, reached=True)
    return DeliveryResult(ok=True, status=250, words=_words(said))


async def greet(server: MailServer, seconds_max: float) -> DeliveryResult:
    """Say hello as a sender would, with user and password where there are such, and leave: nothing is sent. Raises
    nothing."""
    try:
        async with asyncio.timeout(seconds_max), _client(server, seconds_max) as client:
            said = await client.ehlo()
    except _TROUBLE as error:
        return _told(error)
    return DeliveryResult(ok=True, status=said.code, words=_words(said.message))


def _client(server: MailServer, seconds_max: float) -> aiosmtplib.SMTP:
    return aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        username=server.user,
        password=server.password,
        use_tls=server.tls,
        start_tls=server.starttls,
        timeout=seconds_max,
    )


def _told(trouble: Exception) -> DeliveryResult:
    """What became of a letter, from the server's own words where it said any."""
    if isinstance(trouble, SMTPResponseException):
        return DeliveryResult(ok=False, status=trouble.code, words=_words(trouble.message))
    if isinstance(trouble, TimeoutError):
        return DeliveryResult(ok=False, words="the mail server did not answer in time")
    return DeliveryResult(ok=False, words=_words(str(trouble)))


def _refused(refused: dict[str, tuple[int, str]], *, reached: bool) -> DeliveryResult:
    """Some addresses were refused. Those refused for now are left; `reached`: others have their mail."""
    left = tuple(address for address, (code, _) in refused.items() if code < _LASTING)
    code, said = next(iter(refused.values()))
    words = _words(f"{', '.join(refused)}: {said}")
    return DeliveryResult(ok=reached and not left, status=code, words=words, final=not left, left=left)


def _words(text: str) -> str:
    return _one_line(text)[:WORDS_MAX]


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)


async def _deliver(parts: OutboundParts, outgoing: Outgoing) -> DeliveryResult:
    to = tuple(outgoing.address.split(", "))
    if parts.server is None:
        return DeliveryResult(ok=False, words="no mail server is set: [mail] smtp in platform.toml", left=to)
    letter = Letter(to=to, subject=f"[{parts.name}] {outgoing.subject}", text=outgoing.text, id=outgoing.id)
    return await send(parts.server, parts.sender, letter, parts.clock.now_ms(), SECONDS_MAX)


CHANNEL: Final = AlertChannel(
    bounds=ChannelBounds(name="mail", per_day=100, in_all=8, each=2, fold_mark=0), deliver=_deliver
)
