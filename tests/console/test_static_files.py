"""What pages load: files of others as they were published, few and small."""

import gzip
import re
from hashlib import sha256
from pathlib import Path

import pytest

from tests.admin.harness import AdminHarness
from tests.console.harness import BROWSER, Browser

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "src/tollhouse/console/static"
VENDORED = {  # as `npm pack NAME@VERSION` has them
    "htmx.min.js": ("htmx.org 4.0.1", "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"),
    "uplot.min.js": ("uplot 1.6.32", "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f"),
    "uplot.min.css": ("uplot 1.6.32", "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04"),
}
COLD_BYTES_MAX = 150_000


@pytest.mark.parametrize("name", VENDORED)
def test_vendored_file_is_the_published_one_and_its_licence_is_named(name: str) -> None:
    package, digest = VENDORED[name]
    assert sha256((STATIC / name).read_bytes()).hexdigest() == digest
    licence = STATIC / f"{name.partition('.')[0]}.LICENSE"
    assert licence.is_file()
    assert package in (ROOT / "docs/dependencies.md").read_text(encoding="utf-8")


def test_every_minified_file_is_a_vendored_one() -> None:
    assert {file.name for file in STATIC.glob("*.min.*")} == set(VENDORED)


@pytest.mark.parametrize("path", ["/console/", "/console/usage", "/console/requests"])
def test_cold_page_weighs_little(admin: AdminHarness, owner: Browser, path: str) -> None:
    """All that a browser fetches for a page it never saw, before anything is compressed."""
    admin.call("alpha-live")
    html = owner.get(path).html
    loaded = set(re.findall(r'(?:src|href)="(/console/static/[^"]*)"', html))
    weight = len(html.encode()) + sum(len(owner.get(address).html.encode()) for address in loaded)
    assert weight < COLD_BYTES_MAX


def test_static_file_is_sent_as_gzip_to_whoever_takes_it(admin: AdminHarness) -> None:
    browser = Browser(admin)
    reply = browser.get("/console/static/console.css", [*BROWSER, (b"accept-encoding", b"br, gzip;q=0.5")])
    assert reply.headers["content-encoding"] == "gzip"
    assert gzip.decompress(reply.content) == (STATIC / "console.css").read_bytes()
    plain = browser.get("/console/static/console.css", [*BROWSER, (b"accept-encoding", b"gzip;q=0")])
    assert "content-encoding" not in plain.headers
    assert plain.content == (STATIC / "console.css").read_bytes()
    assert plain.headers["vary"] == "accept-encoding"
