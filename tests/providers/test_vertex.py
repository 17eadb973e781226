"""How Vertex AI is called: which model by which endpoint, and the token of a service account."""

import asyncio
from base64 import urlsafe_b64decode
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.providers.kind_contract import at_once
from tollhouse.core.catalogue import Provider, TextFormat
from tollhouse.core.failure import UpstreamRefusedKey
from tollhouse.core.upstream import Deadlines, Headers, UpstreamRequest, UpstreamRoute
from tollhouse.providers import base_url, kinds, vertex
from tollhouse.providers.credentials import Credential, FetchedResponse

KIND = kinds()["vertex"]
NOW_MS = 1_790_000_000_000
PROVIDER = Provider(id="v", kind="vertex")
RSA_KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
BASE = "https://us-central1-aiplatform.googleapis.com/v1/projects/house/locations/us-central1"


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _account(**other: str) -> str:
    fields = {
        "type": "service_account",
        "project_id": "house",
        "private_key_id": "kid-1",
        "private_key": _pem(RSA_KEY),
        "client_email": "caller@house.iam.example",
        "token_uri": "https://oauth2.example/token",
    }
    return msgspec.json.encode({**fields, **other}).decode()


class AnsweringIssuer:
    """Answers as Google's endpoint for tokens does, and keeps what it was asked."""

    def __init__(self, answer: FetchedResponse) -> None:
        self.answer = answer
        self.asked: list[tuple[bytes, str, Headers, bytes]] = []

    async def __call__(self, method: bytes, url: str, headers: Headers, body: bytes) -> FetchedResponse:
        self.asked.append((method, url, headers, body))
        return self.answer


GOOD = FetchedResponse(200, [], b'{"access_token":"ya29.token","expires_in":3599,"token_type":"Bearer"}')


def _part(text: str) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(urlsafe_b64decode(text + "=="))
    return found


def test_a_service_account_gets_a_token_by_an_assertion_that_it_signed() -> None:
    issuer = AnsweringIssuer(GOOD)
    token = asyncio.run(vertex.refresh(_account(), PROVIDER, issuer, NOW_MS))
    assert (token.value, token.expires_at_ms) == ("ya29.token", NOW_MS + 3_599_000)
    [(method, url, _, body)] = issuer.asked
    assert (method, url) == (b"POST", "https://oauth2.example/token")
    form = parse_qs(body.decode())
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    head, claims, signature = form["assertion"][0].split(".")
    RSA_KEY.public_key().verify(urlsafe_b64decode(signature + "=="), f"{head}.{claims}".encode(), PKCS1v15(), SHA256())
    assert _part(head) == {"alg": "RS256", "typ": "JWT", "kid": "kid-1"}
    assert _part(claims) == {
        "iss": "caller@house.iam.example",
        "scope": "https://www.googleapis.com/auth/cloud-platform",
        "aud": "https://oauth2.example/token",
        "iat": NOW_MS // 1_000,
        "exp": NOW_MS // 1_000 + 3_600,
    }


def test_without_a_key_the_machine_says_the_token() -> None:
    issuer = AnsweringIssuer(GOOD)
    assert asyncio.run(vertex.refresh("", PROVIDER, issuer, NOW_MS)).value == "ya29.token"
    assert issuer.asked == [(b"GET", vertex.METADATA, [(b"metadata-flavor", b"Google")], b"")]


def test_an_account_that_is_refused_is_told_as_a_refused_key() -> None:
    issuer = AnsweringIssuer(
        FetchedResponse(400, [], b'{"error":"invalid_grant","error_description":"Invalid JWT Signature."}')
    )
    with pytest.raises(UpstreamRefusedKey):
        asyncio.run(vertex.refresh(_account(), PROVIDER, issuer, NOW_MS))
    with pytest.raises(UpstreamRefusedKey):
        asyncio.run(vertex.refresh("no JSON", PROVIDER, issuer, NOW_MS))
    assert len(issuer.asked) == 1


def test_an_account_whose_key_signs_nothing_asks_for_nothing() -> None:
    issuer = AnsweringIssuer(GOOD)
    with pytest.raises(UpstreamRefusedKey):
        asyncio.run(vertex.refresh(_account(private_key="no PEM"), PROVIDER, issuer, NOW_MS))
    assert issuer.asked == []


@pytest.mark.parametrize(
    ("written", "trouble"),
    [
        (_account(), None),
        ("", "JSON of a service account"),
        ("AIzaSyA-key-of-another-service", "JSON of a service account"),
        ('{"type":"authorized_user","client_id":"x"}', "JSON of a service account"),
        (_account(private_key="no key"), "no RSA key"),
        (_account(private_key=_pem(ec.generate_private_key(ec.SECP256R1()))), "no RSA key"),
        (_account(token_uri="http://oauth2.example/token"), "no https address"),
    ],
)
def test_a_key_is_judged_when_it_is_read(written: str, trouble: str | None) -> None:
    found = KIND.check_key(written)
    assert found is None if trouble is None else trouble in (found or "")


def test_a_call_carries_the_token_and_nothing_of_the_account() -> None:
    assert KIND.sign is not None
    headers = KIND.make_headers(_account(), PROVIDER, [(b"authorization", b"Bearer callers")])
    assert b"authorization" not in dict(headers)
    call = UpstreamRequest(UpstreamRoute("https", "h", 443), b"POST", b"/x", headers, b"{}", Deadlines())
    signed = at_once(KIND.sign(Credential(_account(), "ya29.token"), call, NOW_MS))
    assert dict(signed)[b"authorization"] == b"Bearer ya29.token"


@pytest.mark.parametrize(
    ("model", "stream", "path", "wire"),
    [
        ("gemini-2.5-pro", False, "/publishers/google/models/gemini-2.5-pro:generateContent", "gemini_content"),
        (
            "google/gemini-2.5-pro",
            True,
            "/publishers/google/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
            "gemini_content",
        ),
        ("meta/llama-4-maverick-17b-128e-instruct-maas", False, "/endpoints/openapi/chat/completions", "openai_chat"),
        (
            "anthropic/claude-sonnet-4-5@20250929",
            False,
            "/publishers/anthropic/models/claude-sonnet-4-5@20250929:rawPredict",
            "anthropic_messages",
        ),
        (
            "anthropic/claude-sonnet-4-5@20250929",
            True,
            "/publishers/anthropic/models/claude-sonnet-4-5@20250929:streamRawPredict",
            "anthropic_messages",
        ),
        (
            "claude-opus-4-6@default",
            False,
            "/publishers/anthropic/models/claude-opus-4-6@default:rawPredict",
            "anthropic_messages",
        ),
        (
            "publishers/anthropic/models/claude-opus-4-6",
            False,
            "/publishers/anthropic/models/claude-opus-4-6:rawPredict",
            "anthropic_messages",
        ),
        (
            "projects/house/locations/global/publishers/google/models/gemini-2.5-pro",
            False,
            "/publishers/google/models/gemini-2.5-pro:generateContent",
            "gemini_content",
        ),
        ("models/gemini-2.5-pro", False, "/publishers/google/models/gemini-2.5-pro:generateContent", "gemini_content"),
        ("endpoints/123", True, "/endpoints/123:streamGenerateContent?alt=sse", "gemini_content"),
        ("projects/1/locations/us/endpoints/9", False, "/endpoints/9:generateContent", "gemini_content"),
    ],
)
def test_the_models_publisher_says_by_which_endpoint(model: str, stream: bool, path: str, wire: str) -> None:
    target = KIND.target("responses", model, stream, KIND.speaks)
    assert target is not None
    assert (target.path, target.format) == (path, wire)


def test_googles_models_are_asked_in_openais_format_where_they_are_named_so() -> None:
    spoken: tuple[TextFormat, ...] = ("openai_chat",)
    named = KIND.target("chat", "google/gemini-2.5-pro", True, spoken)
    plain = KIND.target("chat", "gemini-2.5-pro", True, spoken)
    assert named is not None
    assert plain is not None
    assert (named.format, plain.format) == ("openai_chat", "gemini_content")


@pytest.mark.parametrize(
    "written",
    [
        BASE,
        f"{BASE}/publishers/google",
        f"{BASE}/publishers/google/models/gemini-2.5-pro:generateContent",
        f"{BASE}/endpoints/openapi",
        f"{BASE}/endpoints/openapi/chat/completions",
        BASE.replace("/v1/", "/"),
    ],
)
def test_any_address_of_its_documentation_is_the_same(written: str) -> None:
    assert base_url.read(KIND, written).base_url == BASE
