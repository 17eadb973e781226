"""Chat services, through apprise, which the extra `chat` installs: only those whose address is the vendor's own.

What an address holds is a token for one of these hosts. Services at a host that the address names (Mattermost, Matrix,
plain JSON) would be a way into the platform's own network, and apprise dials for itself: they are refused.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import Final

from tollhouse.core.channel import ChannelBounds
from tollhouse.core.notice import DeliveryResult, Outgoing
from tollhouse.outbound.channel import SECONDS_MAX, AlertChannel, OutboundParts

CHATS: Final = ("dingtalk", "discord", "feishu", "gchat", "lark", "slack", "tgram", "wecombot")
"""Chat services whose address is the vendor's own, by the scheme they are written with."""

MISSING: Final = (
    "chat services need a package: in the folder of the source, `.uv/bin/uv sync --frozen --inexact --no-dev --extra"
    " chat`"
)

_URL_MAX: Final = 500
_FORBIDDEN: Final = frozenset("?#\\%<>\"' ")  # options of apprise among them, which name files and switch off checks

_THREADS: Final = ThreadPoolExecutor(4, "tollhouse-chat")  # apprise resolves and dials for itself: nobody else waits

Notify = Callable[[str, str, str], bool]
"""Address, subject and text; whether the service took it. Blocks; runs in a thread."""


def is_chat(url: str) -> bool:
    scheme, separator, _ = url.partition("://")
    return bool(separator) and scheme in CHATS


def refuses(url: str, *, installed: bool | None = None) -> str | None:
    """Why nothing can be sent there, as far as its text tells; None where it can."""
    known = find_spec("apprise") is not None if installed is None else installed
    if not is_chat(url):
        return f"chat services are {', '.join(f'{name}://' for name in CHATS)}"
    if len(url) > _URL_MAX or not url.isascii() or not url.isprintable() or _FORBIDDEN & set(url):
        return "the address of a chat service holds tokens and slashes only"
    return None if known else MISSING


async def send(url: str, subject: str, text: str, seconds_max: float, notify: Notify | None = None) -> DeliveryResult:
    """One message. Raises nothing. apprise says only whether it was taken."""
    if reason := refuses(url, installed=None if notify is None else True):
        return DeliveryResult(ok=False, words=reason)
    try:
        async with asyncio.timeout(seconds_max):
            loop = asyncio.get_running_loop()
            taken = await loop.run_in_executor(_THREADS, notify or _by_apprise, url, subject, text)
    except TimeoutError:
        return DeliveryResult(ok=False, words="no answer in time")
    return DeliveryResult(ok=taken, words="taken" if taken else "the chat service did not take it")


def _by_apprise(url: str, subject: str, text: str) -> bool:
    import apprise  # of an extra, and heavy: only who is told in a chat pays for it

    asset = apprise.AppriseAsset(secure_logging=True, storage_mode=apprise.PersistentStoreMode.MEMORY)
    service = apprise.Apprise(asset=asset)
    return bool(service.add(url) and service.notify(title=subject, body=text))


async def _deliver(parts: OutboundParts, outgoing: Outgoing) -> DeliveryResult:
    return await send(outgoing.address, f"[{parts.name}] {outgoing.subject}", outgoing.text, SECONDS_MAX)


def _refuses(parts: OutboundParts, address: str) -> str | None:
    return refuses(address)


CHANNEL: Final = AlertChannel(
    bounds=ChannelBounds(name="chat", schemes=CHATS, per_day=200, in_all=4, each=1, fold_mark=2),
    deliver=_deliver,
    refuses=_refuses,
)
