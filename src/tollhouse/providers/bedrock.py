"""Amazon Bedrock by its endpoints in the vendors' own formats: Messages, Chat Completions and Responses, with events as
the vendors write them.

A key is `ID:SECRET` or `ID:SECRET:SESSION_TOKEN`, which signs each call (Signature Version 4), or a Bedrock API key,
which travels as a bearer token. Region and service are read from the host, which an operator writes, as
`https://bedrock-runtime.us-east-1.amazonaws.com`: every region is another address.
"""

import re
from hashlib import sha256
from typing import Final

from tollhouse.core.catalogue import Provider
from tollhouse.core.failure import UpstreamError
from tollhouse.core.upstream import Headers, UpstreamRequest
from tollhouse.providers.api_keys import check_api_key
from tollhouse.providers.aws_signature import AwsKey, SigningScope, signed_headers
from tollhouse.providers.base_path import above
from tollhouse.providers.body_hash import hash_body
from tollhouse.providers.credentials import Credential
from tollhouse.providers.error_rules import reader, rule
from tollhouse.providers.headers import ANTHROPIC_VERSION, with_bearer_and
from tollhouse.providers.kind import Kind
from tollhouse.providers.targets import choose

_HOST: Final = re.compile(r"(?:.*\.)?(bedrock)(?:-runtime(?:-fips)?|(-mantle))\.([a-z0-9-]{5,32})\.", re.ASCII)
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_PARTS_MAX: Final = 3

RULES: Final = (
    rule("bad_key", "expiredtokenexception", "incompletesignature", "missingauthenticationtoken", source="docs"),
    rule(
        "bad_key",
        "signaturedoesnotmatch",
        "requestexpired",
        source="docs",
    ),
    rule("bad_key", says=r"the security token included in the request is (?:invalid|expired)", source="vercel/ai#4163"),
    rule(
        "bad_key",
        says=r"the request signature we calculated does not match|bearer token|invalid api key",
        source="docs",
    ),
    rule("no_permission", "accessdeniedexception", "notauthorized", "optinrequired", source="docs"),
    rule("no_permission", "ftuformnotfilled", "mpagreementbeingcreated", source="docs, 404 and 403"),
    rule("no_permission", says=r"model use case details have not been submitted", source="docs, with 404"),
    rule("saturated", "throttlingexception", "servicequotaexceededexception", source="docs, 429 and 400"),
    rule(
        "overloaded",
        "modelnotreadyexception",
        "serviceunavailableexception",
        source="docs, 429, 503",
    ),
    rule("broken", "modelerrorexception", "modelstreamerrorexception", status=424, source="docs"),
    rule(
        "no_such_model",
        says=r"invocation of model id .{1,200} with on-demand throughput isn.t supported",
        source="docs, 400",
    ),
    rule(
        "no_such_model",
        says=r"the provided model identifier is invalid|model `.{1,200}` isn.t supported on this route",
        source="docs",
    ),
    rule(
        "policy",
        says=r".*(?:blocked by (?:the )?(?:guardrail|content filter)|content filter policy)",
        status=400,
        source="docs",
    ),
)


def check_key(text: str) -> str | None:
    """See `Kind.check_key`."""
    trouble = check_api_key(text)
    if trouble is not None or ":" not in text:
        return trouble
    parts = text.split(":")
    if len(parts) > _PARTS_MAX or not all(parts):
        return "a key of AWS is written as ID:SECRET, or as ID:SECRET:SESSION_TOKEN"
    return None


def make_headers(key: str, provider: Provider, asked: Headers) -> Headers:
    """Without the key, with which `sign` goes on."""
    return _unsigned("", provider, asked)


_unsigned: Final = with_bearer_and(ANTHROPIC_VERSION)


async def sign(credential: Credential, call: UpstreamRequest, now_ms: int) -> Headers:
    """See `Kind.sign`. Raises UpstreamError where the host names no region, which a signature needs."""
    name, is_pair, rest = credential.key.partition(":")
    if not is_pair:
        return [*call.headers, (b"authorization", b"Bearer " + name.encode("ascii"))] if name else call.headers
    secret, _, session_token = rest.partition(":")
    found = _HOST.match(call.route.host)
    if found is None:
        why = "The address of this provider names no region of AWS, without which a call cannot be signed."
        raise UpstreamError(why, should_retry=False)
    digest = sha256()
    await hash_body(digest, call)
    route, scope = call.route, SigningScope(found[3], found[1] + (found[2] or ""))
    port = "" if route.port == _DEFAULT_PORTS[route.scheme] else f":{route.port}"
    headers = [(b"host", f"{route.host}{port}".encode()), *call.headers]
    key = AwsKey(name, secret, session_token)
    signed = signed_headers(key, scope, call.method, call.target, headers, digest.hexdigest(), now_ms)
    return [one for one in signed if one[0] != b"host"]  # the client writes it


KIND: Final = Kind(
    name="bedrock",
    title="Amazon Bedrock",
    base_path=above(("/anthropic/v1", "/openai/v1")),
    speaks=("anthropic_messages", "openai_chat", "openai_responses"),
    target=choose(
        text={
            "anthropic_messages": "/anthropic/v1/messages",
            "openai_chat": "/openai/v1/chat/completions",
            "openai_responses": "/openai/v1/responses",
        },
        others={},
    ),
    make_headers=make_headers,
    sign=sign,
    read_error=reader(*RULES, type_header=b"x-amzn-errortype"),
    check_key=check_key,
    models_path="",
)
