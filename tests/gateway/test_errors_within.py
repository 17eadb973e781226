"""Errors that come inside a 200: what of them identifies the upstream stays here, as of a refusal."""

import json
from typing import Any

import pytest

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream
from tests.gateway.harness import ROLE, GatewayHarness, asking, buffered, run, streaming, word
from tollhouse.core.catalogue import Offer
from tollhouse.core.failure import Failure
from tollhouse.core.operation import Operation
from tollhouse.formats.openai.failure import body as body_of

PICTURE = "https://pictures.caller.example/gate-A17.png"
KEYS = ("open sesame", "kX7", "gate17", "EMPTY-9")
HEADERS = {"x-tenant": "Bearer blue-heron", "x-short": "on"}
TOLD = f"the picture at {PICTURE} is larger than 20 MB"
UNTOLD = {
    "the key": "key open sesame is over its quota",
    "the key in capitals": "key OPEN SESAME is over its quota",
    "a short key": "key gate17 is over its quota",
    "the value of a header": "tenant blue-heron has no access",
    "the host": "upstream up.example closed the stream",
    "the host in capitals, with a port": "upstream UP.EXAMPLE:8443 closed the stream",
    "its address": "POST http://up.example/v1/chat/completions failed",
    "another host": "gpu-7.internal.example is out of memory",
    "an address": "10.0.0.7:8000 is out of memory",
    "an organisation": "limit of organization org-Ab12Cd34Ef56Gh78 is reached",
    "a key of a known form": "Incorrect key sk-proj-abcdEFGH1234ijkl",
    "the model": "model `acme/secret-model-70b` refused",
    "the model in a path": "models/acme/secret-model-70b refused",
    "the last part of its name": "secret-model-70b refused",
    "its dated name": "secret-model-70b-2026-01-31 refused",
}
SECRETS = (
    *("sesame", "gate17", "blue-heron", "up.example", "8443", "gpu-7", "internal", "10.0.0.7", "org-ab12", "sk-proj"),
    *("secret-model", "acme", "2026-01-31"),
)
OFFER = Offer(provider="one", model="acme/secret-model-70b")


def said(operation: Operation, *pieces: bytes, stream: bool) -> str:
    """All that a caller hears of an answer of these pieces: head and body."""
    upstream = FakeUpstream(streaming(*pieces) if stream else buffered(*pieces))
    made = GatewayHarness(first=upstream, provider={"headers": HEADERS}, keys_of_first=KEYS, model={"offers": (OFFER,)})
    prompt = {"responses": "input", "completions": "prompt"}.get(operation)
    text = f"look at {PICTURE}"
    body = asking(stream=stream, messages=[{"role": "user", "content": text}])
    if prompt is not None:
        body = json.dumps({"model": "house-1", prompt: text, "stream": stream}).encode()
    client = FakeCallerConnection(body)
    try:
        run(made.ask(client, operation))
    except Failure as failure:
        return body_of(failure, "req_1").decode()
    return str(client.headers) + (client.data + b"".join(client.parts)).decode()


def an_error(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "code": "unsupported_value"}}


def events(operation: Operation, message: str) -> dict[str, tuple[bytes, ...]]:
    """Forms in which a stream says that it failed, after a word and before any."""
    error = b"data: " + json.dumps(an_error(message)).encode() + b"\n\n"
    if operation == "responses":
        head = b'data: {"type":"response.created","response":{"id":"r"}}\n\n'
        begun = b'data: {"type":"response.output_text.delta","delta":"Zoll "}\n\n'
        failed = {"type": "response.failed", "response": {"id": "r", "status": "failed", **an_error(message)}}
        plain = {"type": "error", "message": message, "code": "unsupported_value"}
        return {
            "response.failed": (head, begun, b"data: " + json.dumps(failed).encode() + b"\n\n"),
            "response.failed at once": (head, b"data: " + json.dumps(failed).encode() + b"\n\n"),
            "error": (head, begun, b"data: " + json.dumps(plain).encode() + b"\n\n"),
            "an error object": (head, begun, error),
        }
    beside = json.dumps({"id": "c", "choices": [{"index": 0, "delta": {}}], **an_error(message)}).encode()
    in_choice = json.dumps({"id": "c", "choices": [{"index": 0, "delta": {}, **an_error(message)}]}).encode()
    return {
        "at once": (error,),
        "after a word": (ROLE, word("Zoll "), error),
        "beside choices": (ROLE, word("Zoll "), b"data: " + beside + b"\n\n"),
        "in a choice": (ROLE, word("Zoll "), b"data: " + in_choice + b"\n\n"),
        "named": (ROLE, word("Zoll "), b"event: error\ndata: " + json.dumps({"message": message}).encode() + b"\n\n"),
        "bare": (ROLE, word("Zoll "), json.dumps(an_error(message)).encode()),
        "flat": (ROLE, b"data: " + json.dumps({"object": "error", "message": message, "code": 400}).encode() + b"\n\n"),
        "a list": (ROLE, b"data: " + json.dumps({"errors": [{"message": message, "code": 400}]}).encode() + b"\n\n"),
    }


def bodies(operation: Operation, message: str) -> dict[str, bytes]:
    """Forms in which a whole answer says so."""
    part: dict[str, Any] = {"output": []} if operation == "responses" else {"choices": []}
    choice: dict[str, Any] = {"index": 0, "message": {"role": "assistant", "content": "Zoll"}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 60, "completion_tokens": 12, "total_tokens": 72}
    failed = {"object": "response", "status": "failed", "output": [], **an_error(message)}
    found: dict[str, Any] = {
        "alone": an_error(message),
        "beside the answer": {**part, **an_error(message)},
        "a text": {**part, "error": message},
        "flat": {"object": "error", "message": message, "code": 400},
    }
    if operation == "responses":
        found["failed"] = failed
    else:
        found["in a choice"] = {
            "object": "chat.completion",
            "choices": [{**choice, **an_error(message)}],
            "usage": usage,
        }
    return {form: json.dumps(body).encode() for form, body in found.items()}


OPERATIONS: tuple[Operation, ...] = ("chat", "completions", "responses")


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("untold", UNTOLD)
def test_what_identifies_the_upstream_goes_from_every_error_within_a_200(operation: Operation, untold: str) -> None:
    for form, pieces in events(operation, UNTOLD[untold]).items():
        for stream in (True, False):
            heard = said(operation, *pieces, stream=stream).lower()
            assert "zoll" in heard or "error" in heard, (form, heard)
            assert not [secret for secret in SECRETS if secret in heard], (form, stream, heard)
    for form, body in bodies(operation, UNTOLD[untold]).items():
        for stream in (True, False):
            heard = said(operation, body, stream=stream).lower()
            assert "error" in heard, form
            assert not [secret for secret in SECRETS if secret in heard], (form, stream, heard)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_the_caller_wrote_stays(operation: Operation) -> None:
    for form, pieces in events(operation, TOLD).items():
        if form not in ("named",):
            assert TOLD in said(operation, *pieces, stream=True), form
    for form, body in bodies(operation, TOLD).items():
        assert (TOLD in said(operation, body, stream=False)) or form == "a text", form


def test_the_model_is_told_by_the_name_that_the_caller_knows() -> None:
    error = b"data: " + json.dumps(an_error("`acme/secret-model-70b` takes no pictures")).encode() + b"\n\n"
    assert "`house-1` takes no pictures" in said("chat", ROLE, word("Zoll "), error, stream=True)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("code", "words", "answered", "asked_elsewhere"),
    [
        (1008, "insufficient balance", "upstream_error", True),
        (1002, "rate limit", "rate_limit_exceeded", True),
        (2013, "invalid params", "invalid_request_error", False),
        (9999, "odd", "upstream_error", True),
    ],
)
def test_an_error_in_a_vendor_s_own_form_within_a_200_is_read_by_its_kind(
    code: int, words: str, answered: str, asked_elsewhere: bool, stream: bool
) -> None:
    body = json.dumps({"choices": None, "base_resp": {"status_code": code, "status_msg": words}}).encode()
    play = streaming(b"data: " + body + b"\n\n") if stream else buffered(body)
    harness = GatewayHarness(first=FakeUpstream(play), second=FakeUpstream(play), provider={"kind": "minimax"})
    with pytest.raises(Failure) as failed:
        run(harness.ask(FakeCallerConnection(asking(stream=stream))))
    assert failed.value.code == answered
    assert bool(harness.second.calls) is asked_elsewhere
    assert harness.record.charge is None
