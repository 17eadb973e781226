"""Request bodies that came compressed: the provider gets them plain, whole and without the header; bombs get a 413."""

import gzip
import http.client
import socket
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard

from tests.end_to_end.platform_process import WAIT_SECONDS_MAX, PlatformProcess, PlatformReply, chat
from tests.support.scripted_provider import ScriptedProvider, answers, said

MIB = 1024 * 1024
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda data: brotli.compress(data, quality=4),
    "zstd": zstandard.compress,
}


@pytest.fixture(autouse=True)
def answered(provider: ScriptedProvider) -> None:
    provider.plays("up-house", answers(said("hello")))


def sent(platform: PlatformProcess, packed: bytes, encoding: str, **headers: str) -> PlatformReply:
    return platform.ask(packed, headers={"Content-Encoding": encoding, **headers})


@pytest.mark.parametrize("size", [10, 70_000, 600_000, 3 * MIB, 20 * MIB])
@pytest.mark.parametrize("encoding", PACKERS)
def test_a_packed_body_reaches_the_provider_plain(
    platform: PlatformProcess, provider: ScriptedProvider, encoding: str, size: int
) -> None:
    text = ("Zoll 税 " * (size // 9 + 1))[:size]
    plain = platform.written(chat(messages=[{"role": "user", "content": text}]), None, None)[0]
    reply = sent(platform, PACKERS[encoding](plain), encoding)
    assert reply.status == 200, reply.body
    (turn,) = provider.seen()
    assert turn.json["messages"] == [{"role": "user", "content": text}]
    assert b"content-encoding" not in turn.head.lower()


def test_a_body_that_is_packed_already_and_large(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    """What hardly packs is large on the way in, too."""
    noise = zlib.compress(bytes(range(256)) * 8, 0).hex() * 300
    plain = platform.written(chat(messages=[{"role": "user", "content": noise}]), None, None)[0]
    packed = gzip.compress(plain, 0)
    assert len(packed) > MIB
    assert sent(platform, packed, "gzip").status == 200
    assert provider.seen()[0].json["messages"][0]["content"] == noise


@pytest.mark.parametrize("spelled", ["GZIP", " gzip ", "x-gzip"])
def test_names_in_any_case(platform: PlatformProcess, spelled: str) -> None:
    assert sent(platform, gzip.compress(platform.written(chat(), None, None)[0]), spelled).status == 200


def test_identity_is_no_encoding(platform: PlatformProcess) -> None:
    assert platform.ask(chat(), headers={"Content-Encoding": "identity"}).status == 200


@pytest.mark.parametrize("encoding", ["compress", "gzip, br", "lzma", "aws-chunked", "utf-8", "snappy"])
def test_an_encoding_that_nobody_reads_is_named(
    platform: PlatformProcess, provider: ScriptedProvider, encoding: str
) -> None:
    reply = sent(platform, b"x", encoding)
    assert (reply.status, reply.code) == (415, "invalid_request_error")
    assert reply.json["error"]["param"] == "content-encoding"
    assert "zstd" in reply.json["error"]["message"]
    assert not provider.turns


@pytest.mark.parametrize("encoding", PACKERS)
def test_what_is_not_packed_is_refused(platform: PlatformProcess, provider: ScriptedProvider, encoding: str) -> None:
    reply = sent(platform, platform.written(chat(), None, None)[0], encoding)
    assert (reply.status, reply.json["error"]["param"]) == (400, "content-encoding")
    assert not provider.turns


@pytest.mark.parametrize("encoding", PACKERS)
def test_a_bomb_is_too_large(platform: PlatformProcess, provider: ScriptedProvider, encoding: str) -> None:
    packed = PACKERS[encoding](b'{"model":"house-1","messages":[{"role":"user","content":"' + bytes(128 * MIB))
    reply = sent(platform, packed, encoding)
    assert (reply.status, reply.code) == (413, "request_too_large")
    assert not provider.turns


def test_the_control_api_takes_no_packed_bodies(platform: PlatformProcess) -> None:
    connection = http.client.HTTPConnection("control", timeout=WAIT_SECONDS_MAX)
    with socket.socket(socket.AF_UNIX) as connection.sock:
        connection.sock.connect(str(platform.folder / "tollhouse.sock"))
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        connection.request("POST", "/api/v1/accounts", gzip.compress(b"{}"), headers)
        answer = connection.getresponse()
        assert answer.status == 415
        assert b"Content-Encoding" in answer.read()
