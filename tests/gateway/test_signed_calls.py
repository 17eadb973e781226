"""A kind of provider that signs the body and renews a token, added as one file: 50 calls at once, one renewal."""

import asyncio
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from msgspec import structs

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream, FakeUpstreamResponse
from tests.gateway.harness import (
    STORY,
    GatewayHarness,
    answer,
    asking,
    buffered,
    refusing,
    run,
    streaming,
)
from tests.providers.toy_folder import toy_kinds
from tests.upstream.hostile import new_client
from tollhouse.core.catalogue import Offer, Provider
from tollhouse.core.failure import Failure, Overloaded, UpstreamError, UpstreamRefusedKey
from tollhouse.core.upstream import Buffer, Deadlines, Headers, Upstream, UpstreamRequest
from tollhouse.gateway.destination import Destination, hidden, with_tokens_of
from tollhouse.providers import Kind, kinds
from tollhouse.providers.credentials import Fetch, FetchedResponse, tokens_of
from tollhouse.upstream.address import read_base_url
from tollhouse.upstream.fetch import UpstreamFetch

KEY = "toy-secret-key"
CALLS = 50
MODEL = "org/up one"
TARGET = b"/v1/model/org%2Fup%20one/invoke?edition=2"


@pytest.fixture
def toy(tmp_path: Path) -> Iterator[Kind]:
    with toy_kinds(tmp_path) as found:
        yield found["signed_toy"]


class FakeIssuer:
    """Gives tokens, or what it is told to give. `open`: they come once it is set."""

    def __init__(self) -> None:
        self.asked: list[tuple[bytes, str, bytes]] = []
        self.status = 200
        self.open = asyncio.Event()

    async def __call__(self, method: bytes, url: str, headers: Headers, body: bytes) -> FetchedResponse:
        self.asked.append((method, url, body))
        await self.open.wait()
        found = {"access_token": f"token-{len(self.asked)}", "expires_in": 3600}
        return FetchedResponse(self.status, [], json.dumps(found).encode())


def destination(
    kind: Kind, upstream: Upstream, fetch: Fetch, base_url: str = "http://up.example/v1", name: str = "one"
) -> Destination:
    provider = Provider(id=name, kind=kind.name, base_url=base_url)
    route, path = read_base_url(base_url)
    tokens = tokens_of(kind.refresh, provider, (KEY,), fetch)
    return Destination(provider, kind, upstream, route, path, (KEY,), Deadlines(), hidden((KEY,), {}), tokens)


def harness(kind: Kind, upstream: Upstream, fetch: Fetch, base_url: str = "http://up.example/v1") -> GatewayHarness:
    """The model's first offer is at the toy, its second at another provider."""
    offers = (Offer(provider="one", model=MODEL), Offer(provider="two", model="up-two", priority=1))
    made = GatewayHarness(model={"offers": offers})
    made.gateway.destinations["one"] = destination(kind, upstream, fetch, base_url)
    return made


def signature(time: bytes, method: bytes, target: bytes, body: bytes) -> bytes:
    return hmac.new(KEY.encode(), b"%b\n%b\n%b\n%b" % (time, method, target, body), sha256).hexdigest().encode()


def checked(call: UpstreamRequest, token: bytes) -> None:
    headers = dict(call.headers)
    body = b"".join((call.body, *call.rest))
    assert headers[b"authorization"] == b"Bearer " + token
    assert headers[b"x-toy-signature"] == signature(headers[b"x-toy-time"], call.method, call.target, body)


def test_fifty_calls_at_once_are_signed_with_one_token(toy: Kind) -> None:
    async def main() -> None:
        issuer, upstream = FakeIssuer(), FakeUpstream(buffered())
        made = harness(toy, upstream, issuer)
        callers = [FakeCallerConnection(asking(user=f"u{number}")) for number in range(CALLS)]
        asked = asyncio.gather(*(made.ask(one) for one in callers))
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(issuer.asked) == 1
        assert not upstream.calls, "nothing is sent without a token"
        issuer.open.set()
        await asked
        assert [one.status for one in callers] == [200] * CALLS
        assert issuer.asked == [
            (b"POST", "http://up.example/v1/token", b"grant_type=client_credentials&client_secret=toy-secret-key")
        ]
        assert len(upstream.calls) == CALLS
        for call in upstream.calls:
            assert (call.method, call.target) == (b"POST", TARGET)
            checked(call, b"token-1")

    run(main())


def test_a_stream_goes_to_its_own_endpoint(toy: Kind) -> None:
    async def main() -> None:
        issuer, upstream = FakeIssuer(), FakeUpstream(streaming(*STORY))
        issuer.open.set()
        made = harness(toy, upstream, issuer)
        await made.ask(caller := FakeCallerConnection(asking(stream=True)))
        assert caller.status == 200
        assert upstream.calls[0].target == TARGET.replace(b"invoke", b"stream")

    run(main())


class CheckingUpstream(FakeUpstream):
    """Checks the signature of what it is sent, when it is sent: afterwards a large body is dropped."""

    async def send(self, call: UpstreamRequest) -> FakeUpstreamResponse:
        checked(call, b"token-1")
        return await super().send(call)


@pytest.mark.parametrize("characters", [10, 300_000, 3_000_000])
def test_a_large_body_is_signed_whole(toy: Kind, characters: int) -> None:
    async def main() -> None:
        issuer, upstream = FakeIssuer(), CheckingUpstream(buffered())
        issuer.open.set()
        made = harness(toy, upstream, issuer)
        await made.ask(caller := FakeCallerConnection(asking(user="u" * characters)))
        assert caller.status == 200
        assert len(upstream.calls) == 1

    run(main())


def test_a_body_in_pieces_is_signed_as_one(toy: Kind) -> None:
    async def main() -> None:
        issuer = FakeIssuer()
        issuer.open.set()
        at = destination(toy, FakeUpstream(buffered()), issuer)
        pieces: list[Buffer] = [b"x" * 700_000, memoryview(b'","b":1}')]
        call = UpstreamRequest(at.route, b"POST", TARGET, [], b'{"a":"', Deadlines(), rest=pieces)
        assert await at.sign(0, call, 7) == "token-1"
        checked(call, b"token-1")

    run(main())


@pytest.mark.parametrize(("status", "code"), [(401, "upstream_error"), (503, "overloaded"), (302, "upstream_error")])
def test_a_token_that_cannot_be_got_is_the_providers_failure_and_others_are_asked(
    toy: Kind, status: int, code: str
) -> None:
    async def main() -> None:
        issuer, upstream = FakeIssuer(), FakeUpstream(buffered())
        issuer.status = status
        issuer.open.set()
        made = harness(toy, upstream, issuer)
        await made.ask(caller := FakeCallerConnection(asking()))
        assert caller.status == 200
        assert not upstream.calls
        assert [(one.provider, one.error) for one in made.record.attempts] == [("one", code), ("two", None)]
        assert len(issuer.asked) == 1

    run(main())


@pytest.mark.parametrize(("status", "failure"), [(401, UpstreamRefusedKey), (503, Overloaded), (302, UpstreamError)])
def test_where_nobody_else_serves_the_caller_reads_that_failure(toy: Kind, status: int, failure: type[Failure]) -> None:
    async def main() -> None:
        issuer = FakeIssuer()
        issuer.status = status
        issuer.open.set()
        made = harness(toy, FakeUpstream(buffered()), issuer)
        made.gateway.destinations["two"] = destination(toy, FakeUpstream(buffered()), issuer, name="two")
        with pytest.raises(failure) as met:
            await made.ask(FakeCallerConnection(asking()))
        assert KEY not in met.value.message

    run(main())


def test_a_refused_token_is_replaced_and_told_to_nobody(toy: Kind) -> None:
    async def main() -> None:
        issuer = FakeIssuer()
        issuer.open.set()
        plays = refusing(400, {"message": "odd: token-1 toy-secret-key"}), refusing(401, {"message": "no"}), buffered()
        upstream = FakeUpstream(*plays)
        made = harness(toy, upstream, issuer)
        with pytest.raises(Failure) as met:
            await made.ask(FakeCallerConnection(asking()))
        assert "token-1" not in met.value.message
        assert "toy-secret-key" not in met.value.message
        await made.ask(FakeCallerConnection(asking()))  # the other provider answers
        made.clock.ms += 600_000  # the circuit lets a trial through
        await made.ask(FakeCallerConnection(asking()))
        assert [dict(call.headers)[b"authorization"] for call in upstream.calls] == [
            b"Bearer token-1",
            b"Bearer token-1",
            b"Bearer token-2",
        ]

    run(main())


def test_a_new_configuration_keeps_the_tokens_of_what_it_did_not_change(toy: Kind) -> None:
    def at(key: str = KEY, headers: dict[str, str] | None = None) -> Destination:
        made = destination(toy, FakeUpstream(buffered()), FakeIssuer())
        return replace(made, keys=(key,), provider=structs.replace(made.provider, headers=headers or {}))

    old = {"one": at()}
    for new, keeps in ((at(), True), (at(key="another-key"), False), (at(headers={"x-house": "ours"}), False)):
        now = with_tokens_of(old, {"one": new, "two": destination(toy, FakeUpstream(), FakeIssuer(), name="two")})
        assert (now["one"].tokens == old["one"].tokens) is keeps
        assert now["one"].upstream is new.upstream
        assert len(now["two"].tokens) == 1


class CheckingServer:
    """Issues tokens and answers chat calls over real sockets; what is not signed as it must be gets a 401."""

    def __init__(self) -> None:
        self.tokens = 0
        self.good = 0

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                line, *lines = head.rstrip().split(b"\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (one.partition(b":") for one in lines)}
                body = await reader.readexactly(int(headers.get(b"content-length", b"0")))
                status, answered = self.answer(line, headers, body)
                writer.write(b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\n" % status)
                writer.write(b"content-length: %d\r\n\r\n%b" % (len(answered), answered))
        except (OSError, asyncio.IncompleteReadError):
            writer.close()

    def answer(self, line: bytes, headers: dict[bytes, bytes], body: bytes) -> tuple[int, bytes]:
        method, target, _ = line.split(b" ")
        if target == b"/v1/token":
            self.tokens += 1
            if parse_qs(body)[b"client_secret"] != [KEY.encode()]:
                return 401, b"{}"
            return 200, json.dumps({"access_token": f"token-{self.tokens}", "expires_in": 3600}).encode()
        wanted = signature(headers[b"x-toy-time"], method, target, body)
        if headers[b"authorization"] != b"Bearer token-1" or headers[b"x-toy-signature"] != wanted:
            return 401, b"{}"
        self.good += 1
        return 200, answer()


def test_a_server_that_checks_the_signature_answers_fifty_calls_at_once(toy: Kind) -> None:
    async def main() -> None:
        checking = CheckingServer()
        server = await asyncio.start_server(checking.accept, "127.0.0.1", 0)
        base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        client = new_client()
        fetch = UpstreamFetch(client, Provider(id="one", kind=toy.name), ())
        made = harness(toy, client, fetch, base_url)
        callers = [FakeCallerConnection(asking(user=f"u{number}")) for number in range(CALLS)]
        await asyncio.gather(*(made.ask(one) for one in callers))
        assert [one.status for one in callers] == [200] * CALLS
        assert {one.attempts[-1].provider for one in made.ledger.records} == {"one"}
        assert (checking.tokens, checking.good) == (1, CALLS)
        await client.close()
        server.close()

    run(main())


@pytest.mark.parametrize("length", [10, 700_000])
def test_an_endpoint_may_want_other_members_than_its_format(length: int) -> None:
    """Claude at Google Cloud: asked by a caller of chats, in Anthropic's format, without the model, with a version."""
    message = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Zoll haus"}]}
    usage = {"input_tokens": 60, "output_tokens": 12}
    answered = json.dumps({"id": "m", **message, "stop_reason": "end_turn", "usage": usage}).encode()

    async def main() -> None:
        issuer, upstream = FakeIssuer(), FakeUpstream(buffered(answered))
        issuer.open.set()
        kind = kinds()["vertex"]
        offers = (Offer(provider="one", model="anthropic/claude-x@1"),)
        made = GatewayHarness(model={"offers": offers, "context_tokens": 10**6})
        at = destination(kind, upstream, issuer, "https://h.example/v1/projects/p")
        by_machine = tokens_of(kind.refresh, at.provider, ("",), issuer)
        made.gateway.destinations["one"] = replace(at, keys=("",), tokens=by_machine)
        client = FakeCallerConnection(asking(messages=[{"role": "user", "content": "x" * length}]))
        await made.ask(client)
        (call,) = upstream.calls
        assert call.target == b"/v1/projects/p/publishers/anthropic/models/claude-x@1:rawPredict"
        sent = json.loads(b"".join((call.body, *call.rest)))
        assert sent["anthropic_version"] == "vertex-2023-10-16"
        assert "model" not in sent
        assert sent["messages"] == [{"role": "user", "content": "x" * length}]
        assert json.loads(client.data)["choices"][0]["message"]["content"] == "Zoll haus"

    run(main())
