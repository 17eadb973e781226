"""Signature Version 4 of AWS: a call is signed with a secret that never travels.

What is signed is the request as it goes on the wire: method, path, query, a few headers, and the hash of the body. Host
and content type are among the headers, and those that belong to the signature; others may change on the way.
"""

import hmac
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final
from urllib.parse import quote, unquote

from msgspec import Struct

from tollhouse.core.upstream import Headers

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_UNRESERVED: Final = "-_.~"
_SIGNED: Final = frozenset({b"content-type", b"host", b"x-amz-date", b"x-amz-security-token"})


class AwsKey(Struct, frozen=True):
    """An access key; `session_token` of temporary ones."""

    id: str
    secret: str
    session_token: str = ""


class SigningScope(Struct, frozen=True):
    """For whom a signature is valid, besides the day: `us-east-1`, `bedrock`."""

    region: str
    service: str


def signed_headers(
    key: AwsKey, scope: SigningScope, method: bytes, target: bytes, headers: Headers, body_hash: str, now_ms: int
) -> Headers:
    """The headers to send: those given, but for what a signature replaces, and what signs them. `headers` name the
    host; `body_hash` is the SHA-256 of the body in hexadecimal digits."""
    time = datetime.fromtimestamp(now_ms // 1_000, UTC).strftime("%Y%m%dT%H%M%SZ")
    sent = [one for one in headers if one[0] not in (b"authorization", b"x-amz-date", b"x-amz-security-token")]
    sent.append((b"x-amz-date", time.encode()))
    if key.session_token:
        sent.append((b"x-amz-security-token", key.session_token.encode()))
    canonical, names = _canonical(method, target, sent, body_hash)
    within = f"{time[:8]}/{scope.region}/{scope.service}/aws4_request"
    to_sign = f"{_ALGORITHM}\n{time}\n{within}\n{sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(_signing_key(key.secret, time[:8], scope), to_sign.encode(), sha256).hexdigest()
    said = f"{_ALGORITHM} Credential={key.id}/{within}, SignedHeaders={names}, Signature={signature}"
    return [*sent, (b"authorization", said.encode())]


def _canonical(method: bytes, target: bytes, headers: Headers, body_hash: str) -> tuple[str, str]:
    """The request in the one form that both sides hash, and the names of the headers that it holds."""
    path, _, query = target.decode("ascii").partition("?")
    values: dict[str, list[str]] = {}
    for name, value in headers:
        if name in _SIGNED:
            values.setdefault(name.decode(), []).append(" ".join(value.decode("latin-1").split()))
    names = ";".join(sorted(values))
    lines = "".join(f"{name}:{','.join(values[name])}\n" for name in sorted(values))
    encoded = quote(path, safe=f"/{_UNRESERVED}")  # once more than on the wire, as every service but S3 reads it
    return f"{method.decode()}\n{encoded}\n{_canonical_query(query)}\n{lines}\n{names}\n{body_hash}", names


def _canonical_query(query: str) -> str:
    pairs = [part.partition("=") for part in query.split("&") if part]
    coded = [
        (quote(unquote(name), safe=_UNRESERVED), quote(unquote(value), safe=_UNRESERVED)) for name, _, value in pairs
    ]
    return "&".join(f"{name}={value}" for name, value in sorted(coded))


def _signing_key(secret: str, day: str, scope: SigningScope) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, scope.region, scope.service, "aws4_request"):
        key = hmac.new(key, part.encode(), sha256).digest()
    return key
