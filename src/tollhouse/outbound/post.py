"""The post: every way out of the platform, as the services uses them. Nothing here raises; what went wrong is an
answer."""

from collections.abc import Callable
from dataclasses import dataclass
from email.headerregistry import Address
from typing import Final

from tollhouse.core.clock import Clock
from tollhouse.core.notice import DeliveryResult
from tollhouse.core.upstream import Deadlines, Upstream, UpstreamRoute
from tollhouse.outbound import chat, mail, webhook
from tollhouse.outbound.mail_server import MailServer, read_sender, read_smtp
from tollhouse.settings import Settings

SECONDS_MAX: Final = 10
_DEADLINES: Final = Deadlines(5_000, SECONDS_MAX * 1000, 5_000, SECONDS_MAX * 1000)

ReadUrl = Callable[[str], tuple[UpstreamRoute, str]]
"""A webhook's address to its route and its target. Raises ValueError for one that is refused by its looks."""


@dataclass(frozen=True, slots=True)
class OutboundDelivery:
    """`server` None: no mail leaves. `name`: of the platform, before each subject."""

    clock: Clock
    upstream: Upstream
    read_url: ReadUrl
    server: MailServer | None
    sender: Address
    name: str

    async def mail(self, to: tuple[str, ...], subject: str, text: str, message_id: str) -> DeliveryResult:
        if self.server is None:
            return DeliveryResult(ok=False, words="no mail server is set: [mail] smtp in platform.toml", left=to)
        letter = mail.Letter(to=to, subject=f"[{self.name}] {subject}", text=text, id=message_id)
        return await mail.send(self.server, self.sender, letter, self.clock.now_ms(), SECONDS_MAX)

    async def webhook(self, url: str, secret: str, message_id: str, body: bytes, account_id: str) -> DeliveryResult:
        try:
            route, target = self.read_url(url)
            headers = webhook.sign(secret, message_id, self.clock.now_ms(), body)
        except ValueError as error:
            return DeliveryResult(ok=False, words=str(error))
        return await webhook.send(self.upstream, route, target, headers, body, _DEADLINES, account_id)

    async def chat(self, url: str, subject: str, text: str) -> DeliveryResult:
        return await chat.send(url, f"[{self.name}] {subject}", text, SECONDS_MAX)

    def refuses(self, url: str) -> str | None:
        """Why nothing can be sent there; None where it can, as far as its text tells."""
        if not url.startswith(("http://", "https://")):
            return chat.refuses(url)
        try:
            self.read_url(url)
        except ValueError as error:
            return str(error)
        return None


def open_post(
    settings: Settings, secret: Callable[[str], str], clock: Clock, upstream: Upstream, read: ReadUrl
) -> OutboundDelivery:
    """secret: what a reference such as `env:SMTP` stands for. Raises ValueError, which names the setting."""
    wanted, name = settings.mail, settings.platform.name
    try:
        smtp = secret(wanted.smtp)
        server = read_smtp(smtp) if smtp else None
    except ValueError as error:
        raise ValueError(f"mail.smtp: {error}") from None
    try:
        own = Address(display_name=name, addr_spec="tollhouse@localhost")
        sender = read_sender(wanted.sender) if wanted.sender else own
    except ValueError as error:
        raise ValueError(f"mail.from: {error}") from None
    return OutboundDelivery(clock, upstream, read, server, sender, name)
