"""Our Signature Version 4 is that of AWS's own library, byte by byte."""

from datetime import UTC, datetime
from hashlib import sha256

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.core.upstream import Headers
from tollhouse.providers.aws_signature import AwsKey, SigningScope, signed_headers

NOW_MS = 1_790_000_000_123
KEY = AwsKey("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
SCOPE = SigningScope("us-east-1", "bedrock")
HOST = "bedrock-runtime.us-east-1.amazonaws.com"


def _theirs(key: AwsKey, scope: SigningScope, method: str, target: str, headers: Headers, body: bytes) -> str:
    """The `Authorization` that botocore writes, step by step, at the time of ours."""
    kept = {name.decode(): value.decode() for name, value in headers if name in (b"host", b"content-type")}
    request = AWSRequest(method=method, url=f"https://{HOST}{target}", headers=kept, data=body)
    request.context["timestamp"] = datetime.fromtimestamp(NOW_MS // 1_000, UTC).strftime("%Y%m%dT%H%M%SZ")
    auth = SigV4Auth(Credentials(key.id, key.secret, key.session_token or None), scope.service, scope.region)
    auth._modify_request_before_signing(request)
    canonical = auth.canonical_request(request)
    auth._inject_signature_to_request(request, auth.signature(auth.string_to_sign(request, canonical), request))
    return str(request.headers["Authorization"])


def _ours(key: AwsKey, scope: SigningScope, method: str, target: str, headers: Headers, body: bytes) -> str:
    body_hash = sha256(body).hexdigest()
    signed = signed_headers(key, scope, method.encode(), target.encode(), headers, body_hash, NOW_MS)
    return dict(signed)[b"authorization"].decode()


HEADERS: Headers = [
    (b"host", HOST.encode()),
    (b"content-type", b"application/json"),
    (b"user-agent", b"tollhouse"),
    (b"anthropic-version", b"2023-06-01"),
]


@pytest.mark.parametrize("token", ["", "FwoGZXIvYXdzEBYaDEXAMPLE=="])
@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize(
    "target",
    [
        "/anthropic/v1/messages",
        "/openai/v1/chat/completions",
        "/model/anthropic.claude-3-sonnet-20240229-v1%3A0/invoke",
        "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fx/invoke-with-response-stream",
        "/a?b=c&a=d%20e&empty=&B=~x",
        "/gr%C3%B6%C3%9Fe",
        "/",
    ],
)
def test_a_signature_is_that_of_the_original(target: str, method: str, token: str) -> None:
    key = AwsKey(KEY.id, KEY.secret, token)
    for scope in (SCOPE, SigningScope("eu-central-1", "bedrock-mantle")):
        given = (key, scope, method, target, HEADERS, b'{"model":"m"}')
        assert _ours(*given) == _theirs(*given)


_SEGMENT = st.text("abcXYZ019-_.~", min_size=1, max_size=12).filter(lambda part: set(part) != {"."})
_CODED = st.sampled_from(["%3A", "%2F", "%20", "%C3%B6", "a", "Z", "-"])


@given(
    st.lists(st.one_of(_SEGMENT, st.lists(_CODED, min_size=1, max_size=4).map("".join)), max_size=5),
    st.dictionaries(_SEGMENT, _SEGMENT, max_size=4),
    st.binary(max_size=300),
    st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/+", min_size=1, max_size=60),
)
def test_of_any_request(segments: list[str], query: dict[str, str], body: bytes, secret: str) -> None:
    target = (
        "/" + "/".join(segments) + ("?" + "&".join(f"{name}={value}" for name, value in query.items()) if query else "")
    )
    asked = (AwsKey("AKID", secret), SCOPE, "POST", target, HEADERS, body)
    assert _ours(*asked) == _theirs(*asked)


def test_what_is_signed_already_is_signed_anew_and_the_secret_is_not_sent() -> None:
    old: Headers = [*HEADERS, (b"authorization", b"Bearer x"), (b"x-amz-date", b"20200101T000000Z")]
    signed = signed_headers(KEY, SCOPE, b"POST", b"/x", old, sha256(b"").hexdigest(), NOW_MS)
    assert [name for name, _ in signed].count(b"authorization") == 1
    assert [name for name, _ in signed].count(b"x-amz-date") == 1
    assert not any(KEY.secret.encode() in value for _, value in signed)
    assert (b"user-agent", b"tollhouse") in signed
