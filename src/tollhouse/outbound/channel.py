"""What an alert channel declares, and what it is given to send with."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.headerregistry import Address
from typing import Final

from msgspec import Struct

from tollhouse.core.channel import ChannelBounds
from tollhouse.core.clock import Clock
from tollhouse.core.notice import DeliveryResult, Outgoing
from tollhouse.core.upstream import Upstream, UpstreamRoute
from tollhouse.outbound.mail_server import MailServer

SECONDS_MAX: Final = 10  # a try

ReadUrl = Callable[[str], tuple[UpstreamRoute, str]]
"""A webhook's address to its route and its target. Raises ValueError for one that is refused by its looks."""


@dataclass(frozen=True, slots=True)
class OutboundParts:
    """What channels send with. `server` None: no mail leaves. `name`: of the platform."""

    clock: Clock
    upstream: Upstream
    read_url: ReadUrl
    server: MailServer | None
    sender: Address
    name: str


Deliver = Callable[[OutboundParts, Outgoing], Awaitable[DeliveryResult]]
"""One try. Raises nothing: what went wrong is an answer."""

Refuses = Callable[[OutboundParts, str], str | None]
"""Why nothing can be sent to an address, as far as its text tells; None where something can."""


def refuses_nothing(parts: OutboundParts, address: str) -> str | None:
    return None


class AlertChannel(Struct, frozen=True, kw_only=True):
    """A channel: the `CHANNEL` of its file. `refuses` is asked when an address is set, `deliver` for each try."""

    bounds: ChannelBounds
    deliver: Deliver
    refuses: Refuses = refuses_nothing
