"""Gemini and other publishers' models on Google Cloud (Vertex AI).

A key is the JSON of a service account (`file:PATH`), with which a token is got that calls carry; without a key the
token comes from the metadata service of the machine, whose network must be allowed. The base URL names project and
location: `https://us-central1-aiplatform.googleapis.com/v1/projects/PROJECT/locations/us-central1`.

An offer's model is a Gemini model's name (`gemini-2.5-pro`, `google/gemini-2.5-pro`), a tuned one's endpoint
(`endpoints/ID`), or `PUBLISHER/NAME` of another publisher: `anthropic/NAME`, which may be written without its
publisher, is called in Anthropic's format, any other in OpenAI's. A resource's whole name
(`publishers/PUBLISHER/models/NAME`) is read, too.
"""

import re
from base64 import urlsafe_b64encode
from collections.abc import Collection
from types import MappingProxyType
from typing import Final
from urllib.parse import quote, urlencode

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from msgspec import Struct

from tollhouse.core.catalogue import Provider, TextFormat
from tollhouse.core.failure import UpstreamRefusedKey
from tollhouse.core.operation import Operation
from tollhouse.core.upstream import Headers, UpstreamRequest
from tollhouse.providers.betas import SCOPES, only
from tollhouse.providers.credentials import Credential, Fetch, Token
from tollhouse.providers.error_rules import reader, rule
from tollhouse.providers.google_errors import RULES as GOOGLES
from tollhouse.providers.google_errors import retry_delay
from tollhouse.providers.headers import with_bearer
from tollhouse.providers.kind import Kind, UpstreamTarget
from tollhouse.providers.oauth import read_token
from tollhouse.providers.targets import spoken

SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
METADATA: Final = "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token"
_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LIFE_SECONDS: Final = 3_600
_FORMATS: Final[tuple[TextFormat, ...]] = ("gemini_content", "openai_chat", "anthropic_messages")
_CLAUDE_MEMBERS: Final = MappingProxyType({"anthropic_version": b'"vertex-2023-10-16"', "model": None})
"""The body names a version of this service, and the path the model."""
_ROLES: Final = MappingProxyType({"contents": ("role", b'"user"')})
"""Whose the words are: the Gemini API takes a message without it for the user's, this service refuses it."""
_RESOURCE: Final = re.compile(
    r"(?:projects/[^/]+/locations/[^/]+/)?(?:publishers/([^/]+)/models/|models/|(?=endpoints/))"
)
BETAS: Final = (
    *("compact-2026-01-12", "compact-2026-09-04", "computer-use-2025-01-24", "computer-use-2025-11-24"),
    *("context-1m-2025-08-07", "context-management-2025-06-27", "dangerous-tool-use-2026-09-03"),
    *("interleaved-thinking-2025-05-14", "per-turn-control-2026-07-01", "thinking-binding-controls-2026-08-01"),
    *("thinking-display-updates-2026-08-18", "tool-search-tool-2025-10-19", "web-search-2025-03-05"),
)
_kept: Final = only(BETAS)
_OF_PROJECT: Final = "/projects/PROJECT/locations/us-central1"
_PUBLISHERS: Final = re.compile(r"/(?:publishers|endpoints)(?:/.*)?\Z")

RULES: Final = (
    rule(
        "no_permission", says=r"project .{1,80} is not allowed to use publisher model", status=400, source="uni-api#41"
    ),
    *GOOGLES,
)


class ServiceAccount(Struct, frozen=True):
    """What of the JSON of a service account's key is used."""

    client_email: str
    private_key: str
    private_key_id: str = ""
    token_uri: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address


def check_key(text: str) -> str | None:
    """See `Kind.check_key`."""
    try:
        account = msgspec.json.decode(text, type=ServiceAccount)
    except (msgspec.MsgspecError, UnicodeError):
        return "a key is the JSON of a service account: write file:PATH of the file that Google Cloud made"
    if not account.token_uri.startswith("https://"):
        return "token_uri of the service account is no https address"
    return None if _private_key(account) is not None else "private_key of the service account is no RSA key"


def assertion(account: ServiceAccount, now_ms: int) -> str:
    """The JSON web token (RFC 7523) that asks for an access token. Raises UpstreamRefusedKey for a key of no use."""
    key = _private_key(account)
    if key is None:
        raise UpstreamRefusedKey("The service account of this provider cannot be used.")
    now = now_ms // 1_000
    claims = {
        "iss": account.client_email,
        "scope": SCOPE,
        "aud": account.token_uri,
        "iat": now,
        "exp": now + _LIFE_SECONDS,
    }
    head = {"alg": "RS256", "typ": "JWT", "kid": account.private_key_id}
    text = b".".join(_coded(msgspec.json.encode(part)) for part in (head, claims))
    return (text + b"." + _coded(key.sign(text, PKCS1v15(), SHA256()))).decode("ascii")


async def refresh(key: str, provider: Provider, fetch: Fetch, now_ms: int) -> Token:
    """See `Refresh`."""
    if not key:
        return read_token(await fetch(b"GET", METADATA, [(b"metadata-flavor", b"Google")], b""), now_ms)
    try:
        account = msgspec.json.decode(key, type=ServiceAccount)
    except msgspec.MsgspecError:
        raise UpstreamRefusedKey("The service account of this provider cannot be read.") from None
    form = urlencode({"grant_type": _GRANT, "assertion": assertion(account, now_ms)})
    headers = [(b"content-type", b"application/x-www-form-urlencoded")]
    return read_token(await fetch(b"POST", account.token_uri, headers, form.encode()), now_ms)


async def sign(credential: Credential, call: UpstreamRequest, now_ms: int) -> Headers:
    """See `Kind.sign`."""
    return [*call.headers, (b"authorization", b"Bearer " + credential.token.encode("ascii"))]


def make_headers(key: str, provider: Provider, asked: Headers) -> Headers:
    """Without the key, which is for the issuer of tokens alone."""
    return with_bearer("", provider, _kept(asked))


def target(operation: Operation, model: str, stream: bool, speaks: Collection[TextFormat]) -> UpstreamTarget | None:
    """See `Kind.target`."""
    asked = spoken(operation, speaks, _FORMATS)
    if asked is None:
        return None
    publisher, named, name = _named(model).partition("/")
    if publisher == "endpoints" and named:
        at = f"/endpoints/{quote(name, safe='')}"
        return UpstreamTarget(f"{at}:{_verb(stream)}", "gemini_content", filled=_ROLES)
    if publisher == "anthropic" and named:
        if "anthropic_messages" not in speaks:
            return None
        at = f"/publishers/anthropic/models/{quote(name, safe='@')}"
        path = f"{at}:{'streamRawPredict' if stream else 'rawPredict'}"
        return UpstreamTarget(path, "anthropic_messages", members=_CLAUDE_MEMBERS, refused=SCOPES)
    if named and (publisher != "google" or asked == "openai_chat"):
        return UpstreamTarget("/endpoints/openapi/chat/completions", "openai_chat")
    at = f"/publishers/google/models/{quote(name if named else publisher, safe='')}"
    return UpstreamTarget(f"{at}:{_verb(stream)}", "gemini_content", filled=_ROLES)


def _named(model: str) -> str:
    """`NAME`, `PUBLISHER/NAME` or `endpoints/ID`, however much stands before it."""
    found = _RESOURCE.match(model)
    if found is not None:
        name = model[found.end() :]
        return f"{found[1]}/{name}" if found[1] else name
    return f"anthropic/{model}" if model.startswith("claude-") else model


def _verb(stream: bool) -> str:
    return "streamGenerateContent?alt=sse" if stream else "generateContent"


def base_path(written: str) -> str:
    """See `Kind.base_path`: what Google's pages write behind project and location is cut, the version is added."""
    path = _PUBLISHERS.sub("", written)
    return f"/v1{path}" if path.startswith("/projects/") else path


def check_address(host: str, path: str) -> str | None:
    """See `Kind.check_address`."""
    if host.endswith("aiplatform.googleapis.com") and "/projects/" not in path:
        return f"it names no project and no location: write https://{host}/v1{_OF_PROJECT}"
    return None


def _private_key(account: ServiceAccount) -> RSAPrivateKey | None:
    try:
        key = load_pem_private_key(account.private_key.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, RSAPrivateKey) else None


def _coded(part: bytes) -> bytes:
    return urlsafe_b64encode(part).rstrip(b"=")


KIND: Final = Kind(
    name="vertex",
    title="Google Cloud Vertex AI",
    example=f"https://us-central1-aiplatform.googleapis.com/v1{_OF_PROJECT}",
    check_address=check_address,
    base_path=base_path,
    speaks=_FORMATS,
    target=target,
    make_headers=make_headers,
    sign=sign,
    refresh=refresh,
    read_error=reader(*RULES, waiting=retry_delay),
    check_key=check_key,
    models_path="",
    needs_api_key=False,
)
