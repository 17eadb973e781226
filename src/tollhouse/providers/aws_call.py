"""How a call to Amazon Bedrock is headed and signed.

A key is `ID:SECRET` or `ID:SECRET:SESSION_TOKEN`, which signs each call (Signature Version 4), or a Bedrock API key,
which travels as a bearer token. Region and service are read from the host, which an operator writes, as
`https://bedrock-runtime.us-east-1.amazonaws.com`: every region is another address. An emulator on this machine, or at
an address that is no name, is signed for as `us-east-1`.
"""

import re
from collections.abc import Collection
from hashlib import sha256
from typing import Final

from tollhouse.core.catalogue import Provider, TextFormat
from tollhouse.core.failure import UpstreamError
from tollhouse.core.upstream import Headers, UpstreamRequest
from tollhouse.providers.api_keys import check_api_key
from tollhouse.providers.aws_signature import AwsKey, SigningScope, signed_headers
from tollhouse.providers.betas import only
from tollhouse.providers.body_hash import hash_body
from tollhouse.providers.credentials import Credential
from tollhouse.providers.headers import ANTHROPIC_VERSION, MakeHeaders, with_bearer_and

_HOST: Final = re.compile(r"(?:.*\.)?(bedrock)(?:-runtime(?:-fips)?|(-mantle))\.([a-z0-9-]{5,32})\.", re.ASCII)
_EMULATOR: Final = re.compile(r"(?:.*\.)?localhost|[0-9.]+|\[?[0-9a-f:.]+\]?", re.ASCII)
_REGIONLESS: Final = re.compile(
    r"bedrock(?:-runtime(?:-fips)?|-mantle)?\.(?:amazonaws\.com(?:\.cn)?|api\.aws)", re.ASCII
)
_CONTROL: Final = re.compile(r"bedrock\.([a-z0-9-]+\.amazonaws\.com(?:\.cn)?)", re.ASCII)
_EMULATED: Final = SigningScope("us-east-1", "bedrock")
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_PARTS_MAX: Final = 3
_PUBLISHER: Final = re.compile(r"(?:^|/)(?:[a-z-]{2,8}\.)?([a-z0-9-]+)\.[a-z]", re.ASCII)
"""In `anthropic.NAME`, in one with a region before it (`us.`, `global.`), and in an ARN that ends so. The ARN of an
application's own inference profile names none."""
BETAS: Final = (
    *("compact-2026-01-12", "computer-use-2025-01-24", "computer-use-2025-11-24", "context-1m-2025-08-07"),
    *("context-management-2025-06-27", "dangerous-tool-use-2026-09-03", "effort-2025-11-24"),
    *("fine-grained-tool-streaming-2025-05-14", "interleaved-thinking-2025-05-14"),
    *("mid-conversation-output-config-2026-07-01", "mid-conversation-tool-changes-2026-07-01"),
    *("thinking-binding-controls-2026-08-01", "thinking-display-updates-2026-08-18", "tool-search-tool-2025-10-19"),
)
"""Anthropic's opt-ins that `bedrock-runtime` takes."""


def check_key(text: str) -> str | None:
    """See `Kind.check_key`."""
    trouble = check_api_key(text)
    if trouble is not None or ":" not in text:
        return trouble
    parts = text.split(":")
    if len(parts) > _PARTS_MAX or not all(parts):
        return "a key of AWS is written as ID:SECRET, or as ID:SECRET:SESSION_TOKEN"
    return None


def check_address(host: str, path: str) -> str | None:
    """See `Kind.check_address`."""
    if not host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws")):
        return None
    if _REGIONLESS.fullmatch(host):
        service, _, domain = host.partition(".")
        return f"it names no region of AWS: write it as in https://{service}.us-east-1.{domain}"
    found = _CONTROL.fullmatch(host)
    if found is not None:
        return f"models are managed there, and not called: write https://bedrock-runtime.{found[1]}"
    return None


def with_betas(names: tuple[str, ...]) -> MakeHeaders:
    """`Kind.make_headers` without the key, with which `sign` goes on; of a caller's opt-ins these pass."""
    kept, unsigned = only(names), with_bearer_and(ANTHROPIC_VERSION)

    def make_headers(key: str, provider: Provider, asked: Headers) -> Headers:
        return unsigned("", provider, kept(asked))

    return make_headers


def speaking(model: str, speaks: Collection[TextFormat]) -> Collection[TextFormat]:
    """The formats in which this model is served: Claude in Anthropic's alone, any other in OpenAI's alone (docs: API
    compatibility). Those that the operator chose stay, where none of them would be left."""
    found = _PUBLISHER.search(model)
    if found is None:
        return speaks
    is_claude = found[1] == "anthropic"
    return tuple(one for one in speaks if (one == "anthropic_messages") == is_claude) or speaks


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
