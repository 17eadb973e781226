"""Which headers go to a provider and come back from it."""

from tollhouse.core.catalogue import Provider
from tollhouse.core.upstream import Headers
from tollhouse.providers.headers import with_bearer

PLAIN = Provider(id="main", kind="openai")


def test_a_call_is_signed_with_our_key_and_asks_for_plain_bytes() -> None:
    assert with_bearer("sk-ours", PLAIN, []) == [
        (b"content-type", b"application/json"),
        (b"accept", b"application/json"),
        (b"accept-encoding", b"identity"),
        (b"user-agent", b"tollhouse"),
        (b"authorization", b"Bearer sk-ours"),
    ]


def test_a_provider_without_a_key_gets_none() -> None:
    assert b"authorization" not in dict(with_bearer("", PLAIN, [(b"authorization", b"Bearer sk-callers")]))


def test_of_the_callers_headers_only_a_few_pass() -> None:
    passing: Headers = [
        (b"openai-beta", b"assistants=v2"),
        (b"anthropic-beta", b"a"),
        (b"anthropic-beta", b"b"),
        (b"traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        (b"tracestate", b"x=1"),
    ]
    dropped: Headers = [
        (name, b"callers")
        for name in (
            *(b"authorization", b"x-api-key", b"api-key", b"x-goog-api-key", b"cookie", b"host", b"content-length"),
            *(b"transfer-encoding", b"connection", b"te", b"upgrade", b"x-forwarded-for", b"forwarded", b"via"),
            *(
                b"user-agent",
                b"accept",
                b"accept-encoding",
                b"openai-organization",
                b"openai-project",
                b"idempotency-key",
            ),
            *(b"x-stainless-os", b"x-tollhouse-simulate", b"x-tollhouse-tags", b"referer", b"origin"),
        )
    ]
    sent = with_bearer("sk-ours", PLAIN, [*dropped, *passing])
    assert [header for header in sent if header in passing] == passing
    assert b"callers" not in dict(sent).values()


def test_what_an_operator_sets_wins_but_never_frames_the_message() -> None:
    own = {"OpenAI-Organization": "org-ours", "user-agent": "house", "Host": "evil", "Content-Length": "0"}
    sent = with_bearer("sk-ours", Provider(id="main", kind="openai", headers=own), [(b"traceparent", b"t")])
    assert [value for name, value in sent if name == b"user-agent"] == [b"house"]
    assert dict(sent)[b"openai-organization"] == b"org-ours"
    assert {b"host", b"content-length"}.isdisjoint(dict(sent))
