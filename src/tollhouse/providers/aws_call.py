"""How a call to Amazon Bedrock is headed and signed.

A key is `ID:SECRET` or `ID:SECRET:SESSION_TOKEN`, which signs each call (Signature Version 4), or a Bedrock API key,
which travels as a bearer token. Region and service are read from the host, which an operator writes, as
`https://bedrock-runtime.us-east-1.amazonaws.com`: every region is another address. An emulator on this machine, or at
an address that is no name, is signed for as `us-east-1`.
"""

import re
from hashlib import sha256
from typing import Final

from tollhouse.core.catalogue import Provider
from tollhouse.core.failure import UpstreamError
from tollhouse.core.upstream import Headers, UpstreamRequest
from tollhouse.providers.api_keys import check_api_key
from tollhouse.providers.aws_signature import AwsKey, SigningScope, signed_headers
from tollhouse.providers.body_hash import hash_body
from tollhouse.providers.credentials import Credential
from tollhouse.providers.headers import ANTHROPIC_VERSION, with_bearer_and

_HOST: Final = re.compile(r"(?:.*\.)?(bedrock)(?:-runtime(?:-fips)?|(-mantle))\.([a-z0-9-]{5,32})\.", re.ASCII)
_EMULATOR: Final = re.compile(r"(?:.*\.)?localhost|[0-9.]+|\[?[0-9a-f:.]+\]?", re.ASCII)
_EMULATED: Final = SigningScope("us-east-1", "bedrock")
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_PARTS_MAX: Final = 3


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
    scope = _scope_of(call.route.host)
    digest = sha256()
    await hash_body(digest, call)
    route = call.route
    port = "" if route.port == _DEFAULT_PORTS[route.scheme] else f":{route.port}"
    headers = [(b"host", f"{route.host}{port}".encode()), *call.headers]
    key = AwsKey(name, secret, session_token)
    signed = signed_headers(key, scope, call.method, call.target, headers, digest.hexdigest(), now_ms)
    return [one for one in signed if one[0] != b"host"]  # the client writes it


def _scope_of(host: str) -> SigningScope:
    found = _HOST.match(host)
    if found is not None:
        return SigningScope(found[3], found[1] + (found[2] or ""))
    if _EMULATOR.fullmatch(host):
        return _EMULATED
    why = "The address of this provider names no region of AWS, without which a call cannot be signed."
    raise UpstreamError(why, should_retry=False)
