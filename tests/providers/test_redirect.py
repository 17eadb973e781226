"""A provider that redirects is named with the base URL that it means, never followed, and no secret is repeated."""

import pytest

from tollhouse.core.upstream import Headers
from tollhouse.providers import kinds
from tollhouse.providers.redirect import read

COMPATIBLE = kinds()["openai_compatible"]
BASE = "http://h.example/v1"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize(
    ("location", "base_url"),
    [
        ("https://h.example/v1/models", "https://h.example/v1"),
        ("https://h.example/v1/models/", "https://h.example/v1"),
        ("https://h.example:443/v1/models", "https://h.example/v1"),
        ("https://api.example/v1/models", "https://api.example/v1"),
        ("https://api.example/openai/v1/models", "https://api.example/openai/v1"),
        ("https://h.example/api/v2/models", "https://h.example/api/v2"),
        ("https://h.example/models", "https://h.example#"),
        ("//api.example/v1/models", "http://api.example/v1"),
        ("/openai/v1/models", "http://h.example/openai/v1"),
        ("../v2/models", "http://h.example/v2"),
        (" https://api.example/v1/models ", "https://api.example/v1"),
        ("https://api.example/v1/models?session=Zm9v&key=sk-proj-0123456789abcdefghij", "https://api.example/v1"),
        ("https://api.example/v1/models#top", "https://api.example/v1"),
        ("http://h.example:8443/v1/models", "http://h.example:8443/v1"),
        ("https://u:geheim@h.example/v1/models", "https://h.example/v1"),
        ("https://[2001:db8::1]/v1/models", "https://[2001:db8::1]/v1"),
    ],
)
def test_the_base_url_that_it_points_to(status: int, location: str, base_url: str) -> None:
    found = read(COMPATIBLE, BASE, status, [(b"location", location.encode())])
    lasting = "" if status in (301, 308) else "; it says that this is for now only"
    assert found.cure == f'write base_url = "{base_url}"{lasting}'
    assert f"(HTTP {status}), which is not followed" in found.reason
    assert not [secret for secret in ("session", "sk-proj", "geheim", "?") if secret in found.reason + found.cure]


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ([], "says not where to"),
        ([(b"location", b"")], "says not where to"),
        ([(b"location", b"https://[broken/v1/models")], "says not where to"),
        ([(b"location", b"/login?next=/v1/models")], "login page"),
        ([(b"location", b"https://sso.example/authorize")], "login page"),
        ([(b"location", b"ftp://h.example/v1/models")], "login page"),
        ([(b"location", b"/v1/models/")], "the same base URL"),
        ([(b"location", b"http://H.example:80/v1/models")], "the same base URL"),
        ([(b"location", "https://h.exämple/v1/models".encode())], "login page"),
    ],
)
def test_a_redirect_that_names_no_base_url(headers: Headers, words: str) -> None:
    found = read(COMPATIBLE, BASE, 302, headers)
    assert words in found.reason + found.cure
    assert "geheim" not in found.reason + found.cure
    assert "base_url" in found.cure or "base URL" in found.cure
