"""A hostile account whose requests make a provider answer badly, beside an honest one; every way to answer badly."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from msgspec import structs

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream, FakeUpstreamResponse, ScriptedResponse, identity
from tests.gateway.harness import (
    DONE,
    NOTHING_STREAMS,
    ROLE,
    STORY,
    GatewayHarness,
    asking,
    buffered,
    event,
    streaming,
    word,
)
from tollhouse.core.catalogue import Offer
from tollhouse.core.failure import Failure, UpstreamBroke, UpstreamTimeout, UpstreamUnreachable
from tollhouse.core.upstream import Headers, UpstreamRequest
from tollhouse.core.usage_record import UsageRecord

POISON = "make it fail"
HOSTILE, ACCOMPLICE, HONEST = ("sk-th-live-" + mark * 43 + "LIVE00" for mark in "ABC")

PAGE = b"<!DOCTYPE html><html><body><h1>Request blocked</h1>gpu-7.internal.example</body></html>"
SHAPES: dict[str, bytes] = {
    "an error": b'{"error":{"message":"not like this","type":"invalid_request_error","param":"messages","code":null}}',
    "a list of errors": b'{"result":null,"success":false,"errors":[{"code":5006,"message":"not like this"}]}',
    "an error in an error": b'{"error":{"error":{"message":"not like this"}}}',
    "a message that is an object": b'{"object":"error","message":{"detail":[{"loc":["body","n"],"msg":"no"}]}}',
    "a code that is a status": b'{"error":{"message":"Input was flagged for harassment","code":403}}',
    "a word for a policy": b'{"error":{"message":"flagged","code":"content_filter"}}',
    "a word for a bad key": b'{"error":{"message":"who?","code":"invalid_api_key"}}',
    "a word for no money": b'{"error":{"message":"pay","code":"insufficient_quota"}}',
    "a word for a rate": b'{"error":{"message":"slow","type":"rate_limit_error"}}',
    "a word for overload": b'{"error":{"message":"busy","type":"overloaded_error"}}',
    "a word for no such model": b'{"error":{"message":"which?","code":"model_not_found"}}',
    "fewer tokens": b'{"error":{"message":"You can only afford 300, ask for fewer max_tokens","code":402}}',
    "a text": b'"no"',
    "a page": PAGE,
    "nothing": b"",
    "events": b'event: error\ndata: {"error":{"message":"not like this"}}\n\ndata: [DONE]\n\n',
    "half a body": b'{"error":{"mess',
    "deep": b"[" * 2_000,
    "bytes": bytes(range(256)),
}
STATUSES = (
    *(300, 304, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418, 421),
    *(422, 423, 424, 425, 426, 428, 429, 431, 444, 451, 460, 498, 499, 500, 501, 502, 503, 504, 520, 524, 529, 599),
)
RETRY_AFTER: Headers = [(b"retry-after", b"300")]


@dataclass(frozen=True)
class Bad:
    """One way to answer badly. `stream`: only to calls that stream."""

    name: str
    play: ScriptedResponse
    stream: bool | None = None


def refusals(statuses: Iterable[int] = STATUSES, shapes: Iterable[str] = SHAPES) -> Iterator[Bad]:
    for status in statuses:
        for shape in shapes:
            body = SHAPES[shape]
            for headers in ([], RETRY_AFTER) if shape == "an error" else ([],):
                yield Bad(
                    f"{status}, {shape}, {headers}", ScriptedResponse(status=status, headers=headers, pieces=(body,))
                )


def mishaps() -> Iterator[Bad]:
    """What goes wrong without a status of its own."""
    broke, silent = UpstreamBroke("cut"), UpstreamTimeout("silent")
    for failure in (UpstreamUnreachable("no"), broke, silent):
        yield Bad(f"no answer: {failure}", ScriptedResponse(failure=failure))
    for shape, body in {**SHAPES, "an empty object": b"{}", "a number": b"7", "a failed end": _failed_end()}.items():
        yield Bad(f"200, {shape}", ScriptedResponse(headers=NOTHING_STREAMS, pieces=(body,)))
        yield Bad(f"200, an event, {shape}", streaming(ROLE, b"data: " + body.replace(b"\n", b"") + b"\n\n"))
    for error in ("overloaded_error", "invalid_api_key", "insufficient_quota", "rate_limit_error", "403", "429", "500"):
        hidden = event(error={"message": "no", "code": error})
        yield Bad(f"an error event: {error}", streaming(hidden))
        yield Bad(f"an error event after a word: {error}", streaming(ROLE, word("x"), hidden), stream=True)
    for end in ((), (broke,), (silent,), (DONE,), (b"data: nonsense\n\n",)):
        yield Bad(f"a stream that begins and ends with {end}", streaming(ROLE, *end))
        yield Bad(f"a stream that says a word and ends with {end}", streaming(ROLE, word("x"), *end), stream=True)
    yield Bad("half a body", buffered(b'{"id":"c1","choices":[', broke))


def _failed_end() -> bytes:
    return json.dumps({"id": "c1", "choices": [{"index": 0, "message": {}, "finish_reason": "error"}]}).encode()


class Touchy(FakeUpstream):
    """Answers the poisonous prompt badly and every other one well."""

    def __init__(self, bad: ScriptedResponse) -> None:
        super().__init__(bad)
        self.bad = bad

    async def send(self, call: UpstreamRequest) -> FakeUpstreamResponse:
        streams = b'"stream":true' in call.body
        good = streaming(*STORY) if streams else buffered()
        self.plays = [self.bad if POISON.encode() in call.body else good]
        return await super().send(call)


class Neighbours:
    """One platform, one provider or two (both touchy), a hostile account, its accomplice, and an honest one."""

    def __init__(self, bad: ScriptedResponse, *, offers: int) -> None:
        both = (Offer(provider="one", model="up-one"), Offer(provider="two", model="up-two", priority=1))
        self.first, self.second = Touchy(bad), Touchy(bad)
        self.harness = GatewayHarness(first=self.first, second=self.second, model={"offers": both[:offers]})
        for number, secret in enumerate((HOSTILE, ACCOMPLICE, HONEST)):
            known = identity(secret, id=f"key_{number}")
            account = structs.replace(known.account, id=f"acc_{number}")
            key = structs.replace(known.key, account_id=account.id)
            self.harness.keys.put(structs.replace(known, account=account, key=key))
            self.harness.counters.put_money(account.id, None)

    async def provoke(self, secret: str, *, stream: bool) -> tuple[Failure | None, UsageRecord]:
        """A call with the poisonous prompt: what its caller met before the first byte, and what is written down."""
        return await self._ask(secret, asking(messages=[{"role": "user", "content": POISON}], stream=stream))

    async def call(self, secret: str = HONEST, *, stream: bool = False) -> UsageRecord:
        """An honest call: answered well and at once."""
        failure, record = await self._ask(secret, asking(stream=stream))
        assert failure is None, failure
        assert (record.status, record.ending) == (200, "finished")
        return record

    def kept_away(self) -> int:
        """Circuits that are open, of any account."""
        return sum(one.accounts for one in self.harness.health.snapshot(self.harness.clock.ms))

    async def _ask(self, secret: str, body: bytes) -> tuple[Failure | None, UsageRecord]:
        failure: Failure | None = None
        try:
            await self.harness.ask(FakeCallerConnection(body), key=secret)
        except Failure as met:
            failure = met
        return failure, self.harness.ledger.records[-1]
