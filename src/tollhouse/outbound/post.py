"""The post: every way out of the platform, as the services use them. Nothing here raises; what went wrong is an
answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.headerregistry import Address

from tollhouse.core.channel import Channel
from tollhouse.core.clock import Clock
from tollhouse.core.notice import DeliveryResult, Outgoing
from tollhouse.core.upstream import Upstream
from tollhouse.outbound.channel import AlertChannel, OutboundParts, ReadUrl
from tollhouse.outbound.discovery import alert_channels
from tollhouse.outbound.mail_server import read_sender, read_smtp
from tollhouse.settings import Settings


@dataclass(frozen=True, slots=True)
class OutboundDelivery:
    """See `services.ports.DeliveryPort`. `channels`: by name."""

    parts: OutboundParts
    channels: Mapping[Channel, AlertChannel]

    async def deliver(self, channel: Channel, outgoing: Outgoing) -> DeliveryResult:
        return await self.channels[channel].deliver(self.parts, outgoing)

    def refuses(self, url: str) -> str | None:
        scheme = url.partition("://")[0]
        for channel in self.channels.values():
            if scheme in channel.bounds.schemes:
                return channel.refuses(self.parts, url)
        return f"no alert channel takes the address {scheme}://..."


def open_post(
    settings: Settings,
    secret: Callable[[str], str],
    clock: Clock,
    upstream: Upstream,
    read: ReadUrl,
    channels: Mapping[Channel, AlertChannel] | None = None,
) -> OutboundDelivery:
    """secret: what a reference such as `env:SMTP` stands for. channels: None: those that come with the platform. Raises
    ValueError, which names the setting."""
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
    parts = OutboundParts(clock, upstream, read, server, sender, name)
    return OutboundDelivery(parts, alert_channels() if channels is None else channels)
