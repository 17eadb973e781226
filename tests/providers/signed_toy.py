"""A kind of provider for tests, in one file: a call carries a token that ends, and an HMAC over time, target and body.

Nothing imports it: `toy_folder` copies it into a package of its own, where the discovery finds it.
"""

import hmac
from collections.abc import Collection
from hashlib import sha256
from typing import Final
from urllib.parse import quote

from tollhouse.core.catalogue import Provider, TextFormat
from tollhouse.core.operation import Operation
from tollhouse.core.upstream import Headers, UpstreamRequest
from tollhouse.providers.body_hash import hash_body
from tollhouse.providers.credentials import Credential, Fetch, Token
from tollhouse.providers.headers import with_bearer
from tollhouse.providers.kind import Kind, UpstreamTarget
from tollhouse.providers.oauth import read_token
from tollhouse.providers.openai_errors import read_compatible_error


def target(operation: Operation, model: str, stream: bool, speaks: Collection[TextFormat]) -> UpstreamTarget | None:
    if operation != "chat" or "openai_chat" not in speaks:
        return None
    return UpstreamTarget(f"/model/{quote(model, safe='')}/{'stream' if stream else 'invoke'}?edition=2", "openai_chat")


async def refresh(key: str, provider: Provider, fetch: Fetch, now_ms: int) -> Token:
    form = f"grant_type=client_credentials&client_secret={quote(key, safe='')}"
    headers = [(b"content-type", b"application/x-www-form-urlencoded")]
    return read_token(await fetch(b"POST", f"{provider.base_url}/token", headers, form.encode()), now_ms)


async def sign(credential: Credential, call: UpstreamRequest, now_ms: int) -> Headers:
    digest = hmac.new(credential.key.encode(), b"%d\n%b\n%b\n" % (now_ms, call.method, call.target), sha256)
    await hash_body(digest, call)
    return [
        *call.headers,
        (b"authorization", b"Bearer " + credential.token.encode()),
        (b"x-toy-time", b"%d" % now_ms),
        (b"x-toy-signature", digest.hexdigest().encode()),
    ]


def make_headers(key: str, provider: Provider, asked: Headers) -> Headers:
    return with_bearer("", provider, asked)


KIND: Final = Kind(
    name="signed_toy",
    title="Signed toy",
    speaks=("openai_chat",),
    target=target,
    make_headers=make_headers,
    read_error=read_compatible_error,
    sign=sign,
    refresh=refresh,
)
