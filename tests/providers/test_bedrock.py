"""How Bedrock is called: by what keys, at which address, and what is signed."""

import asyncio
from hashlib import sha256

import pytest

from tests.providers.kind_contract import at_once
from tollhouse.core.catalogue import Provider, TextFormat
from tollhouse.core.failure import UpstreamError
from tollhouse.core.upstream import Deadlines, Headers, UpstreamRequest, UpstreamRoute
from tollhouse.providers import base_url, kinds
from tollhouse.providers.aws_signature import AwsKey, SigningScope, signed_headers
from tollhouse.providers.credentials import Credential

KIND = kinds()["bedrock"]
HOST = "bedrock-runtime.us-east-1.amazonaws.com"
CHAT: tuple[TextFormat, ...] = ("openai_chat",)
NOW_MS = 1_790_000_000_000
BODY = b'{"model":"anthropic.claude-sonnet-4-5"}'


def _call(host: str = HOST, port: int = 443, rest: list[bytes | memoryview] | None = None) -> UpstreamRequest:
    headers = KIND.make_headers("AKID:s", Provider(id="b", kind="bedrock"), [])
    route = UpstreamRoute("https", host, port)
    return UpstreamRequest(route, b"POST", b"/anthropic/v1/messages", headers, BODY, Deadlines(), rest=rest or [])


def _sign(key: str, call: UpstreamRequest) -> Headers:
    assert KIND.sign is not None
    return at_once(KIND.sign(Credential(key), call, NOW_MS))


async def _signed_in_turns(key: str, call: UpstreamRequest) -> Headers:
    assert KIND.sign is not None
    return await KIND.sign(Credential(key), call, NOW_MS)


@pytest.mark.parametrize(
    ("host", "region", "service"),
    [
        (HOST, "us-east-1", "bedrock"),
        ("bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1", "bedrock"),
        ("vpce-0a-b1.bedrock-runtime.eu-central-1.vpce.amazonaws.com", "eu-central-1", "bedrock"),
        ("bedrock-runtime.cn-north-1.amazonaws.com.cn", "cn-north-1", "bedrock"),
        ("bedrock-mantle.us-west-2.api.aws", "us-west-2", "bedrock-mantle"),
    ],
)
def test_region_and_service_are_read_from_the_host(host: str, region: str, service: str) -> None:
    said = dict(_sign("AKID:secret", _call(host)))[b"authorization"].decode()
    assert f"/{region}/{service}/aws4_request" in said
    assert said.startswith("AWS4-HMAC-SHA256 Credential=AKID/")


def test_the_whole_body_is_signed_with_the_host_as_the_client_writes_it() -> None:
    call = _call(port=8443, rest=[b"more", memoryview(b"and more")])
    signed = dict(asyncio.run(_signed_in_turns("AKID:secret:token", call)))
    headers = [(b"host", f"{HOST}:8443".encode()), *call.headers]
    body_hash = sha256(BODY + b"moreand more").hexdigest()
    key, scope = AwsKey("AKID", "secret", "token"), SigningScope("us-east-1", "bedrock")
    expected = signed_headers(key, scope, b"POST", call.target, headers, body_hash, NOW_MS)
    assert signed[b"authorization"] == dict(expected)[b"authorization"]
    assert signed[b"x-amz-security-token"] == b"token"
    assert b"host" not in signed
    assert not any(b"secret" in value for value in signed.values())


def test_a_bedrock_api_key_is_a_bearer() -> None:
    signed = dict(_sign("bedrock-api-key-YmVkcm9jaw", _call("proxy.example")))
    assert signed[b"authorization"] == b"Bearer bedrock-api-key-YmVkcm9jaw"
    assert b"x-amz-date" not in signed


def test_a_host_that_names_no_region_cannot_be_signed_for() -> None:
    with pytest.raises(UpstreamError, match="no region"):
        _sign("AKID:secret", _call("proxy.example"))


@pytest.mark.parametrize(
    ("written", "is_key"),
    [
        ("AKIA1:sEcRet/+1", True),
        ("ASIA1:secret:FwoGZ/+=", True),
        ("bedrock-api-key-YmVk", True),
        ("AKIA1:", False),
        (":secret", False),
        ("a:b:c:d", False),
        ("AKIA1:sec ret", False),
    ],
)
def test_a_key_has_two_or_three_parts_or_is_one(written: str, is_key: bool) -> None:
    assert (KIND.check_key(written) is None) is is_key


@pytest.mark.parametrize("kind", ["bedrock", "bedrock_mantle"])
@pytest.mark.parametrize(
    "path", ["", "/anthropic", "/anthropic/v1", "/openai/v1", "/openai/v1/chat/completions", "/v1", "/v1/responses"]
)
def test_any_address_of_its_documentation_is_the_same(kind: str, path: str) -> None:
    assert base_url.read(kinds()[kind], f"https://{HOST}{path}").base_url == f"https://{HOST}"


RUNTIME = {
    "anthropic_messages": "/anthropic/v1/messages",
    "openai_chat": "/openai/v1/chat/completions",
    "openai_responses": "/openai/v1/responses",
}
MANTLE = {**RUNTIME, "openai_chat": "/v1/chat/completions", "openai_responses": "/v1/responses"}


@pytest.mark.parametrize(
    ("kind", "model", "paths"),
    [
        ("bedrock", "m", RUNTIME),
        ("bedrock_mantle", "m", MANTLE),
        ("bedrock_mantle", "openai.gpt-oss-120b", MANTLE),
        ("bedrock_mantle", "openai.gpt-5.5", RUNTIME),
        ("bedrock_mantle", "global.openai.gpt-6-sol", RUNTIME),
    ],
)
def test_each_format_has_its_endpoint(kind: str, model: str, paths: dict[str, str]) -> None:
    called = {}
    for one in KIND.speaks:
        target = kinds()[kind].target("chat", model, True, (one,))
        called[one] = target and target.path
    assert called == paths


@pytest.mark.parametrize("kind", ["bedrock", "bedrock_mantle"])
@pytest.mark.parametrize(
    ("model", "wire"),
    [
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic_messages"),
        ("us.anthropic.claude-opus-4-6-v1", "anthropic_messages"),
        ("global.anthropic.claude-haiku-4-5-20251001-v1:0", "anthropic_messages"),
        ("us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic_messages"),
        ("arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-sonnet-4-6", "anthropic_messages"),
        ("arn:aws:bedrock:us-east-1:12:inference-profile/us.anthropic.claude-sonnet-4-6", "anthropic_messages"),
        ("openai.gpt-oss-120b-1:0", "openai_chat"),
        ("deepseek.v3.2", "openai_chat"),
        ("us.meta.llama3-3-70b-instruct-v1:0", "openai_chat"),
        ("arn:aws:bedrock:us-east-1:12:inference-profile/us.amazon.nova-2-lite-v1:0", "openai_chat"),
    ],
)
def test_a_model_is_asked_in_a_format_in_which_it_is_served(kind: str, model: str, wire: str) -> None:
    """AWS's table "API compatibility": Claude has neither Chat Completions nor Responses, all others no Messages."""
    found = kinds()[kind]
    target, chosen = (found.target("chat", model, True, speaks) for speaks in (found.speaks, CHAT))
    assert target is not None
    assert target.format == wire
    assert chosen is not None
    assert chosen.format == "openai_chat", "what the operator chose stays"


def test_a_profile_that_names_no_publisher_is_asked_in_the_callers_format() -> None:
    named = "arn:aws:bedrock:us-east-1:12:application-inference-profile/a1b2c3d4"
    for operation, wire in (("chat", "openai_chat"), ("responses", "openai_responses")):
        target = KIND.target(operation, named, True, KIND.speaks)  # type: ignore[arg-type]
        assert target is not None
        assert target.format == wire


@pytest.mark.parametrize(
    ("kind", "sent", "passing"),
    [
        ("bedrock", "claude-code-20250219,interleaved-thinking-2025-05-14", "interleaved-thinking-2025-05-14"),
        ("bedrock_invoke", "claude-code-20250219,context-1m-2025-08-07", "context-1m-2025-08-07"),
        ("bedrock_mantle", "claude-code-20250219, prompt-caching-scope-2026-01-05", "claude-code-20250219"),
        ("vertex", "context-1m-2025-08-07,effort-2025-11-24,,x", "context-1m-2025-08-07"),
        ("vertex", "advanced-tool-use-2025-11-20,tool-search-tool-2025-10-19", "tool-search-tool-2025-10-19"),
        ("vertex", "prompt-caching-scope-2026-01-05,structured-outputs-2025-12-15", None),
        (
            "anthropic",
            "prompt-caching-scope-2026-01-05,new-2027-01-01",
            "prompt-caching-scope-2026-01-05,new-2027-01-01",
        ),
    ],
)
def test_a_cloud_gets_no_opt_in_for_which_it_would_refuse_the_call(kind: str, sent: str, passing: str | None) -> None:
    """claude-code#21625, #34802, #12429; new-api#2975: `Unexpected value(s) ... for the anthropic-beta header`."""
    asked = [(b"anthropic-beta", sent.encode()), (b"traceparent", b"t")]
    headers = dict(kinds()[kind].make_headers("k", Provider(id="b", kind=kind), asked))
    assert headers.get(b"anthropic-beta") == (passing.encode() if passing else None)
    assert headers[b"traceparent"] == b"t"
    own = Provider(id="b", kind=kind, headers={"anthropic-beta": "mine"})
    assert dict(kinds()[kind].make_headers("k", own, asked))[b"anthropic-beta"] == b"mine", "the operator knows better"


def test_opt_ins_that_came_apart_go_together() -> None:
    asked = [(b"anthropic-beta", b"context-1m-2025-08-07"), (b"anthropic-beta", b"compact-2026-01-12,x")]
    sent = KIND.make_headers("k", Provider(id="b", kind="bedrock"), asked)
    assert [value for name, value in sent if name == b"anthropic-beta"] == [b"context-1m-2025-08-07,compact-2026-01-12"]
