"""How Bedrock is called: by what keys, at which address, and what is signed."""

import asyncio
from hashlib import sha256

import pytest

from tests.providers.kind_contract import at_once
from tollhouse.core.catalogue import Provider
from tollhouse.core.failure import UpstreamError
from tollhouse.core.upstream import Deadlines, Headers, UpstreamRequest, UpstreamRoute
from tollhouse.providers import base_url, kinds
from tollhouse.providers.aws_signature import AwsKey, SigningScope, signed_headers
from tollhouse.providers.credentials import Credential

KIND = kinds()["bedrock"]
HOST = "bedrock-runtime.us-east-1.amazonaws.com"
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


@pytest.mark.parametrize("path", ["", "/anthropic", "/anthropic/v1", "/openai/v1", "/openai/v1/chat/completions"])
def test_any_address_of_its_documentation_is_the_same(path: str) -> None:
    assert base_url.read(KIND, f"https://{HOST}{path}").base_url == f"https://{HOST}"


def test_each_format_has_its_endpoint() -> None:
    called = {}
    for one in KIND.speaks:
        target = KIND.target("chat", "m", True, (one,))
        called[one] = target and target.path
    assert called == {
        "anthropic_messages": "/anthropic/v1/messages",
        "openai_chat": "/openai/v1/chat/completions",
        "openai_responses": "/openai/v1/responses",
    }
