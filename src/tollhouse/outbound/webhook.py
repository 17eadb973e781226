"""Webhooks as the Standard Webhooks specification has them: one POST, signed over id, time and body.

The time is the try's: receivers refuse what is older than five minutes. The id is the notice's, and the same at every
try: that is how a receiver knows what it has had. Redirects are not followed.
"""

from base64 import b64decode
from datetime import UTC, datetime
from typing import Final

from standardwebhooks.webhooks import Webhook

from tollhouse.core.channel import ChannelBounds
from tollhouse.core.failure import Failure, UpstreamTimeout
from tollhouse.core.notice import DeliveryResult, Outgoing
from tollhouse.core.upstream import Deadlines, Headers, Upstream, UpstreamRequest, UpstreamRoute
from tollhouse.core.upstream import UpstreamResponse as Reply
from tollhouse.outbound.channel import SECONDS_MAX, AlertChannel, OutboundParts

WORDS_MAX: Final = 200
_READ_BYTES_MAX: Final = 4 * WORDS_MAX
_DEADLINES: Final = Deadlines(5_000, SECONDS_MAX * 1000, 5_000, SECONDS_MAX * 1000)
_GONE: Final = 410
_PREFIX: Final = "whsec_"
_SECRET_BYTES_MIN: Final = 24  # as the specification demands; the library would sign with one byte


def sign(secret: str, message_id: str, now_ms: int, body: bytes) -> Headers:
    """The headers a receiver verifies by. secret: `whsec_` and base64. Raises ValueError for one that is too short."""
    if len(b64decode(secret.removeprefix(_PREFIX), validate=True)) < _SECRET_BYTES_MIN:
        raise ValueError("the webhook's secret is too short to sign with")
    seconds = now_ms // 1000
    signature = Webhook(secret).sign(message_id, datetime.fromtimestamp(seconds, UTC), body.decode())
    return [
        (b"webhook-id", message_id.encode()),
        (b"webhook-timestamp", b"%d" % seconds),
        (b"webhook-signature", signature.encode()),
    ]


async def send(
    upstream: Upstream,
    route: UpstreamRoute,
    target: str,
    headers: Headers,
    body: bytes,
    deadlines: Deadlines,
    account_id: str = "",
) -> DeliveryResult:
    """Raises nothing. Any 2xx is taken for received; 410 says never again."""
    call = UpstreamRequest(
        route=route,
        method=b"POST",
        target=target.encode(),
        headers=[(b"content-type", b"application/json"), (b"user-agent", b"tollhouse"), *headers],
        body=body,
        deadlines=deadlines,
        account_id=account_id,
    )
    try:
        reply = await upstream.send(call)
    except UpstreamTimeout:
        return DeliveryResult(ok=False, words="no answer in time")
    except Failure as failure:
        # The client speaks of providers, whom it was made for.
        return DeliveryResult(ok=False, words=failure.message.replace("the provider", "the receiver"))
    words = await _first_words(reply)
    if 300 <= reply.status < 400:
        words = f"it redirects, and redirects are not followed. {words}"
    received = 200 <= reply.status < 300
    return DeliveryResult(ok=received, status=reply.status, words=words[:WORDS_MAX], final=reply.status == _GONE)


async def _first_words(reply: Reply) -> str:
    """What stands at the beginning of the body; the rest is not read."""
    read = b""
    try:
        while len(read) < _READ_BYTES_MAX:
            piece = await reply.read()
            if not piece:
                break
            read += piece
    except Failure:  # its status has been heard, and decides
        reply.abort()
    else:
        reply.release()
    text = read[:_READ_BYTES_MAX].decode(errors="replace")
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()[:WORDS_MAX]


async def _deliver(parts: OutboundParts, outgoing: Outgoing) -> DeliveryResult:
    try:
        route, target = parts.read_url(outgoing.address)
        headers = sign(outgoing.secret, outgoing.id, parts.clock.now_ms(), outgoing.body)
    except ValueError as error:
        return DeliveryResult(ok=False, words=str(error))
    return await send(parts.upstream, route, target, headers, outgoing.body, _DEADLINES, outgoing.account_id)


def _refuses(parts: OutboundParts, address: str) -> str | None:
    try:
        parts.read_url(address)
    except ValueError as error:
        return str(error)
    return None


CHANNEL: Final = AlertChannel(
    bounds=ChannelBounds(
        name="webhook", schemes=("https", "http"), signed=True, per_day=1_000, in_all=24, each=2, fold_mark=1
    ),
    deliver=_deliver,
    refuses=_refuses,
)
