"""How Anthropic is called: address, version and key."""

import pytest

from tollhouse.core.catalogue import Provider
from tollhouse.providers import base_url, kinds

KIND = kinds()["anthropic"]
PROVIDER = Provider(id="a", kind="anthropic")


@pytest.mark.parametrize(
    ("written", "called"),
    [
        ("", "https://api.anthropic.com/v1/messages"),
        ("https://api.anthropic.com", "https://api.anthropic.com/v1/messages"),
        ("https://api.anthropic.com/v1/", "https://api.anthropic.com/v1/messages"),
        ("https://api.anthropic.com/v1/messages", "https://api.anthropic.com/v1/messages"),
        ("https://h.example/anthropic", "https://h.example/anthropic/v1/messages"),
        ("https://h.example/anthropic/v1", "https://h.example/anthropic/v1/messages"),
        ("https://h.example/anthropic#", "https://h.example/anthropic/messages"),
    ],
)
def test_a_base_url_with_or_without_its_version(written: str, called: str) -> None:
    assert base_url.final_url(KIND, written, "chat") == called


def test_the_callers_version_goes_before_ours_and_betas_pass() -> None:
    plain = KIND.make_headers("sk-ant-1", PROVIDER, [])
    assert [value for name, value in plain if name == b"anthropic-version"] == [b"2023-06-01"]
    assert (b"x-api-key", b"sk-ant-1") in plain
    assert b"authorization" not in dict(plain)
    asked = [(b"anthropic-version", b"2026-10-21"), (b"anthropic-beta", b"a,b"), (b"x-api-key", b"sk-callers")]
    sent = KIND.make_headers("sk-ant-1", PROVIDER, asked)
    assert [value for name, value in sent if name == b"anthropic-version"] == [b"2026-10-21"]
    assert (b"anthropic-beta", b"a,b") in sent
    assert (b"x-api-key", b"sk-callers") not in sent


def test_the_operators_version_goes_before_both() -> None:
    own = Provider(id="a", kind="anthropic", headers={"anthropic-version": "2025-01-01"})
    sent = KIND.make_headers("k", own, [(b"anthropic-version", b"2026-10-21")])
    assert [value for name, value in sent if name == b"anthropic-version"] == [b"2025-01-01"]


def test_every_text_operation_is_asked_as_messages() -> None:
    for operation in ("chat", "completions", "responses"):
        target = KIND.target(operation, "claude", True, KIND.speaks)
        assert target is not None
        assert (target.path, target.format) == ("/messages", "anthropic_messages")
    assert KIND.target("embeddings", "claude", False, KIND.speaks) is None
