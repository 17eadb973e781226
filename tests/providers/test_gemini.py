"""How Gemini is called: address, version, model and streaming in the path, the key in its header."""

import pytest

from tollhouse.core.catalogue import Provider
from tollhouse.providers import base_url, kinds

KIND = kinds()["gemini"]
HOST = "https://generativelanguage.googleapis.com"


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("", f"{HOST}/v1beta"),
        (HOST, f"{HOST}/v1beta"),
        (f"{HOST}/v1beta/", f"{HOST}/v1beta"),
        (f"{HOST}/v1beta/models", f"{HOST}/v1beta"),
        (f"{HOST}/v1", f"{HOST}/v1"),
        (f"{HOST}/v1alpha", f"{HOST}/v1alpha"),
        ("https://h.example/gemini", "https://h.example/gemini/v1beta"),
        ("https://h.example/gemini#", "https://h.example/gemini#"),
    ],
)
def test_a_base_url_with_or_without_its_version(written: str, normal: str) -> None:
    assert base_url.read(KIND, written).base_url == normal
    assert base_url.read(KIND, normal).base_url == normal


@pytest.mark.parametrize(
    ("model", "stream", "path"),
    [
        ("gemini-2.5-flash", False, "/models/gemini-2.5-flash:generateContent"),
        ("gemini-2.5-flash", True, "/models/gemini-2.5-flash:streamGenerateContent?alt=sse"),
        ("models/gemini-2.5-flash", False, "/models/gemini-2.5-flash:generateContent"),
        ("a/b?c", False, "/models/a%2Fb%3Fc:generateContent"),
    ],
)
def test_model_and_streaming_stand_in_the_path(model: str, stream: bool, path: str) -> None:
    for operation in ("chat", "completions", "responses"):
        target = KIND.target(operation, model, stream, KIND.speaks)
        assert target is not None
        assert (target.path, target.format) == (path, "gemini_content")


def test_embeddings_are_asked_for_in_batches() -> None:
    target = KIND.target("embeddings", "gemini-embedding-001", False, ())
    assert target is not None
    assert (target.path, target.format) == ("/models/gemini-embedding-001:batchEmbedContents", "gemini_embeddings")


def test_the_key_stands_in_its_own_header_and_in_no_address() -> None:
    sent = KIND.make_headers("AIza-ours", Provider(id="g", kind="gemini"), [(b"x-goog-api-key", b"callers")])
    assert [value for name, value in sent if name == b"x-goog-api-key"] == [b"AIza-ours"]
    assert b"authorization" not in dict(sent)
