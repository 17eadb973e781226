"""What every kind of provider promises. A new kind is held to it as soon as its file is there."""

import re
from collections.abc import Callable, Coroutine
from typing import Any, get_args

from msgspec import structs

from tollhouse.core.catalogue import Provider
from tollhouse.core.failure import UpstreamRefusedKey
from tollhouse.core.operation import Operation, is_served
from tollhouse.core.upstream import Deadlines, Headers, UpstreamRequest, UpstreamRoute
from tollhouse.providers import Kind, base_url
from tollhouse.providers.credentials import Credential

NOW_MS = 1_790_000_000_000
OPERATIONS: tuple[Operation, ...] = get_args(Operation)
MODELS = ("m-1", "org/model:free", "a b", "größe", "%2e?x=1#y")
KEY = "sk-of-the-provider-1"
TARGET = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@/%-]*(?:\?[A-Za-z0-9._~!$&'()*+,;=:@/?%-]*)?", re.ASCII)
HEADER_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]+")
BODY = b'{"model":"m-1"}'


def at_once(work: Coroutine[Any, Any, Headers]) -> Headers:
    """Run what must not wait."""
    try:
        work.send(None)
    except StopIteration as done:
        found: Headers = done.value
        return found
    raise AssertionError("signing a short body waits for nothing")


def _provider(kind: Kind, **own: Any) -> Provider:
    return Provider(**{"id": "x", "kind": kind.name, "base_url": kind.base_url or "http://h.example/v1", **own})


def _call(kind: Kind, body: bytes = BODY) -> UpstreamRequest:
    route = UpstreamRoute("https", "h.example", 443)
    headers = kind.make_headers(KEY, _provider(kind), [])
    return UpstreamRequest(route, b"POST", b"/v1/chat", headers, body, Deadlines())


def chooses_an_endpoint_by_operation_and_format(kind: Kind) -> None:
    assert kind.speaks or kind.target("embeddings", "m-1", False, ()) is not None
    assert any(kind.target(one, "m-1", False, kind.speaks) for one in OPERATIONS), "something can be asked for"
    assert not {"chat", "completions", "responses"} & kind.operations(()), "without a format no text is asked for"
    for operation in OPERATIONS:
        for model in MODELS:
            for stream in (False, True):
                target = kind.target(operation, model, stream, kind.speaks)
                if target is not None:
                    assert TARGET.fullmatch(target.path), target
                    assert target.method in (b"POST", b"GET", b"PUT")
        found = kind.target(operation, "m-1", False, kind.speaks)
        is_asked = found is not None and is_served(operation, found.format)
        assert is_asked is (operation in kind.operations(kind.speaks))


def writes_headers_that_a_connection_can_carry(kind: Kind) -> None:
    asked = [(b"authorization", b"Bearer sk-callers"), (b"x-api-key", b"sk-callers"), (b"traceparent", b"t")]
    for key in (KEY, ""):
        headers = kind.make_headers(key, _provider(kind), asked)
        assert all(HEADER_NAME.fullmatch(name) for name, _ in headers)
        assert not any(b"sk-callers" in value or b"\n" in value or b"\r" in value for _, value in headers)
        if kind.sign is None:
            assert any(KEY.encode() in value for _, value in headers) is bool(key)
    own = _provider(kind, headers={"X-House": "ours"})
    assert (b"x-house", b"ours") in kind.make_headers(KEY, own, asked), "the operator's own are sent"


def signs_what_is_sent_and_changes_nothing_else(kind: Kind) -> None:
    if kind.sign is None:
        assert kind.refresh is None, "a token is of use to `sign` alone"
        return
    call = _call(kind)
    before = structs.astuple(call)
    credential = Credential(KEY, "token-1" if kind.refresh else "")
    signed = at_once(kind.sign(credential, call, NOW_MS))
    assert structs.astuple(call) == before
    assert signed == at_once(kind.sign(credential, call, NOW_MS)), "the same call has the same signature"
    assert {name for name, _ in call.headers} <= {name for name, _ in signed}
    assert all(HEADER_NAME.fullmatch(name) and b"\n" not in value for name, value in signed)
    assert not any(KEY.encode() in value for _, value in signed) or kind.refresh is None


def tells_a_bad_key_without_showing_it(kind: Kind) -> None:
    assert kind.check_key("")
    trouble = kind.check_key(f"{KEY} {KEY}")
    assert trouble
    assert KEY not in trouble


def reads_errors_without_telling_secrets(kind: Kind) -> None:
    for status in (200, 301, 400, 401, 402, 403, 404, 408, 413, 418, 429, 500, 502, 503, 504, 529):
        for body in (b"", b"<html>no</html>", b'{"error":{"message":"no"}}', b"\xff\xfe", b"[]"):
            fault = kind.read_error("chat", status, [], body)
            assert fault.failure.status >= 400
            assert "<html>" not in fault.failure.message
    refused = kind.read_error("chat", 401, [], b'{"error":{"message":"bad key sk-of-the-provider-1"}}')
    assert isinstance(refused.failure, UpstreamRefusedKey)
    assert refused.blame == "key"
    assert KEY not in refused.failure.message
    assert kind.read_error("chat", 429, [(b"retry-after", b"7")], b"").retry_after_ms == 7_000


def stands_at_an_address_in_its_normal_form(kind: Kind) -> None:
    assert kind.models_path.startswith("/") or not kind.models_path
    if kind.base_url:
        address = base_url.read(kind, "")
        assert address.base_url == kind.base_url, "write it as it is used, or give `base_path`: see the how-to"
    assert "//" not in base_url.final_url(kind, "http://h.example/v1/", "chat").removeprefix("http://")


PROMISES: tuple[Callable[[Kind], None], ...] = (
    chooses_an_endpoint_by_operation_and_format,
    writes_headers_that_a_connection_can_carry,
    signs_what_is_sent_and_changes_nothing_else,
    tells_a_bad_key_without_showing_it,
    reads_errors_without_telling_secrets,
    stands_at_an_address_in_its_normal_form,
)
