"""Forms over a real socket: announced or in chunks, too large, cut short, and two behind each other."""

from collections.abc import Iterator

import pytest

from tests.security.platform_process import DemoPlatform, bearer

LARGEST = 300_000
MODEL = (
    '[models."whisper-1"]\noffers = [{ provider = "sim", model = "whisper-1" }]\nprice = { per_second = "0.0001" }\n'
)
CONFIG = (
    f'[server]\nmax_upload_bytes = {LARGEST}\n\n[providers.sim]\nkind = "simulator"\n\n{MODEL}context_tokens = 9000\n'
)
PATH = "/v1/audio/transcriptions"
TYPE = {"Content-Type": "multipart/form-data; boundary=B"}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoPlatform]:
    running = DemoPlatform(tmp_path_factory.mktemp("forms") / "demo", CONFIG)
    yield running
    running.close()


def form(size: int) -> bytes:
    begin = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    return (
        begin + b"x" * size + b'\r\n--B\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--B--\r\n'
    )


def head(platform: DemoPlatform, *more: str) -> bytes:
    fields = {**bearer(platform.facts["api_key"]), **TYPE}
    lines = [f"POST {PATH} HTTP/1.1", "Host: x", *(f"{name}: {value}" for name, value in fields.items()), *more]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def chunks(body: bytes, size: int) -> bytes:
    cut = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in cut) + b"0\r\n\r\n"


def test_a_form_comes_announced_or_in_chunks(platform: DemoPlatform) -> None:
    body = form(200_000)
    announced = platform.send(head(platform, f"Content-Length: {len(body)}") + body)
    chunked = platform.send(head(platform, "Transfer-Encoding: chunked") + chunks(body, 7_000))
    assert announced.status == chunked.status == 200
    assert announced.json["text"] == chunked.json["text"]
    assert float(announced.headers["x-tollhouse-charge-usd"]) == 7 * 0.0001


@pytest.mark.parametrize("announced", [True, False])
def test_one_that_is_too_large_is_refused(platform: DemoPlatform, announced: bool) -> None:
    body = form(LARGEST)
    if announced:
        reply = platform.send(head(platform, f"Content-Length: {len(body)}") + body[:1_000])
    else:
        reply = platform.send(head(platform, "Transfer-Encoding: chunked") + chunks(body, 50_000))
    assert reply.verdict == (413, "request_too_large")


@pytest.mark.parametrize(
    ("body", "kind", "param"),
    [
        (b"", TYPE, None),
        (form(10)[:-3], TYPE, None),
        (form(10), {"Content-Type": "multipart/form-data"}, "content-type"),
        (b"{}", {"Content-Type": "application/json"}, "content-type"),
    ],
)
def test_what_is_no_whole_form_is_told(
    platform: DemoPlatform, body: bytes, kind: dict[str, str], param: str | None
) -> None:
    reply = platform.ask("POST", PATH, {**bearer(platform.facts["api_key"]), **kind}, body)
    assert reply.verdict == (400, "invalid_request_error")
    assert reply.error["param"] == param
    assert platform.ask("POST", PATH, kind, body).verdict == (401, "invalid_api_key")
