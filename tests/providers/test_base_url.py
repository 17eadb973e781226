"""F03: a base URL with or without slash, version or endpoint never doubles anything on the wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tollhouse.providers import base_url, kinds
from tollhouse.providers.base_url import InvalidBaseUrl

COMPATIBLE = kinds()["openai_compatible"]
OPENAI = kinds()["openai"]


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("http://h/v1", "http://h/v1"),
        ("http://h/v1/", "http://h/v1"),
        ("http://h/", "http://h/v1"),
        ("http://h", "http://h/v1"),
        ("http://h/v1/chat/completions", "http://h/v1"),
        ("http://h/v1/chat/completions/", "http://h/v1"),
        ("http://h/v1/embeddings", "http://h/v1"),
        ("http://h/v1/models", "http://h/v1"),
        ("http://h/chat/completions", "http://h/v1"),
        ("http://h/completions", "http://h/v1"),
        (" http://h/v1 ", "http://h/v1"),
        ("\thttp://h/v1\n", "http://h/v1"),
        ("HTTP://H/v1", "http://h/v1"),
        ("http://h/V1", "http://h/V1"),
        ("http://h/v1#", "http://h/v1"),
        ("http://h#", "http://h#"),
        ("http://h/#", "http://h#"),
        ("http://h//v1//", "http://h/v1"),
        ("http://h/v1/v1", "http://h/v1"),
        ("http://h/v1/v1/chat/completions", "http://h/v1"),
        ("http://h/api/openai/v1", "http://h/api/openai/v1"),
        ("https://h:443/v1", "https://h/v1"),
        ("http://h:80/v1", "http://h/v1"),
        ("http://h:8000", "http://h:8000/v1"),
        ("https://h:80/v1", "https://h:80/v1"),
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("http://[0:0:0:0:0:0:0:1]/", "http://[::1]/v1"),
    ],
)
def test_what_works_becomes_one_normal_form(written: str, normal: str) -> None:
    assert base_url.read(COMPATIBLE, written).base_url == normal
    assert base_url.read(COMPATIBLE, normal).base_url == normal


@pytest.mark.parametrize(
    ("written", "cure"),
    [
        ("HTTP://H/V1?x=1", 'write "HTTP://H/V1"'),
        ("http://h/v1?api_key=hidden-word", 'write "http://h/v1"'),
        ("http://h/v1#part", 'write "http://h/v1"'),
        ("h/v1", 'write "https://h/v1"'),
        ("h:8000", 'write "https://h:8000/v1"'),
        ("user:hidden-word@h/v1", 'write "https://h/v1"'),
        ("http://user:hidden-word@h/v1", "api_keys"),
        ("ftp://h/v1", "http or https"),
        ("ws://h/v1", "http or https"),
        ("file:///etc/passwd", "http or https"),
        ("", "needs a base_url"),
        ("   ", "needs a base_url"),
        ("http://", "names a host"),
        ("http:///v1", "names a host"),
        ("http://h:0/v1", "port"),
        ("http://h:65536/v1", "port"),
        ("http://h:80a/v1", "port"),
        ("http://::1/v1", "brackets"),
        ("http://[::1/v1", "brackets"),
        ("http://[example]/v1", "IPv6"),
        ("http://[::1]x/v1", "brackets"),
        ("http://bücher.example/v1", "write xn--bcher-kva.example"),
        ("http://a b/v1", "names a host"),
        ("http://-h/v1", "names a host"),
        ("http://a..b/v1", "names a host"),
        ("http://h/../v1", "segments"),
        ("http://h/%2e%2E/v1", "segments"),
        ("http://h/v1\\x", "percent-encoded"),
        ("http://h/v1 x", "percent-encoded"),
        ("http://h/v1\r\nX-Evil: 1", "percent-encoded"),
        ("http://h/%zz", "percent-encoded"),
    ],
)
def test_what_does_not_work_is_refused_with_the_cure_and_without_secrets(written: str, cure: str) -> None:
    with pytest.raises(InvalidBaseUrl) as refused:
        base_url.read(COMPATIBLE, written)
    assert cure in str(refused.value)
    assert "hidden-word" not in str(refused.value)


@pytest.mark.parametrize("written", ["http://h/v1", "http://h/v1/", "http://h", "http://h/v1/chat/completions"])
def test_the_final_url_is_the_one_that_is_called(written: str) -> None:
    assert base_url.final_url(COMPATIBLE, written, "chat") == "http://h/v1/chat/completions"
    assert base_url.final_url(COMPATIBLE, written, "embeddings") == "http://h/v1/embeddings"


def test_a_server_without_a_version_is_reached_by_a_trailing_hash() -> None:
    assert base_url.final_url(COMPATIBLE, "https://h#", "chat") == "https://h/chat/completions"


def test_a_kind_with_its_own_address_needs_none() -> None:
    assert base_url.final_url(OPENAI, "", "responses") == "https://api.openai.com/v1/responses"


@pytest.mark.parametrize(
    "written", ["https://mine", "https://mine/", "https://mine/v2", "https://mine/v2/chat/completions"]
)
def test_a_host_alone_stands_where_its_kind_stands(written: str) -> None:
    second = structs.replace(COMPATIBLE, base_url="https://vendor.example/v2")
    assert base_url.final_url(second, written, "chat") == "https://mine/v2/chat/completions"
    assert base_url.read(second, "https://mine#").base_url == "https://mine#"
    nested = structs.replace(COMPATIBLE, base_url="https://vendor.example/api/paas/v4")
    assert base_url.final_url(nested, "https://mine", "chat") == "https://mine/api/paas/v4/chat/completions"
    bare = structs.replace(COMPATIBLE, base_url="https://vendor.example")
    assert base_url.final_url(bare, "https://mine", "chat") == "https://mine/v1/chat/completions"


@given(
    st.lists(st.sampled_from(["v1", "chat", "completions", "models", "embeddings", "api", "", "openai"]), max_size=6),
    st.sampled_from(["", "/", "#", " "]),
)
def test_no_slash_and_no_version_doubles_whatever_was_pasted(segments: list[str], end: str) -> None:
    address = base_url.read(COMPATIBLE, "http://h/" + "/".join(segments) + end)
    target = COMPATIBLE.target("chat", "m", False, COMPATIBLE.speaks)
    assert target is not None
    called = address.path + target.path
    assert "//" not in called
    assert called.startswith("/")
    assert "/v1/v1" not in called
    assert base_url.read(COMPATIBLE, address.base_url) == address
