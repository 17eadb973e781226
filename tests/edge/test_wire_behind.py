"""Long: the same odd requests through nginx, which reads them its own way; slow attackers; random changes."""

import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.edge.test_wire_refusals import CASES
from tests.edge.wire_client import RawClient, WireAnswer, get
from tests.edge.wire_server import Running, mirror, running
from tollhouse.edge.bounds import HttpLimits

pytestmark = pytest.mark.long

NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_header_timeout 1s;
    client_body_timeout 1s;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream tollhouse {{ server 127.0.0.1:{upstream}; keepalive 1; }}
    server {{
        listen unix:{folder}/nginx.sock;
        location / {{
            proxy_pass http://tollhouse;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_request_buffering {buffering};
        }}
    }}
}}
"""


@contextmanager
def nginx(folder: Path, upstream: int, buffering: str) -> Iterator[str]:
    """nginx before the server, with one connection kept between them, so that a lost byte reaches the next client."""
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, upstream=upstream, buffering=buffering))
    process = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(config)], stderr=subprocess.PIPE, text=True)
    path = folder / "nginx.sock"
    while not path.exists():
        assert process.poll() is None, process.stderr and process.stderr.read()
    try:
        yield str(path)
    finally:
        process.terminate()
        process.communicate(timeout=20)


def _is_of_nginx(answer: WireAnswer) -> bool:
    return b"<center>nginx" in answer.body


@pytest.mark.parametrize("buffering", ["on", "off"])
def test_behind_nginx_no_odd_request_changes_what_the_next_one_means(
    tmp_path_factory: pytest.TempPathFactory, buffering: str
) -> None:
    """What nginx refuses by itself it may answer as it likes, but it never finds us silent or wrong (502, 504)."""
    folder = tmp_path_factory.mktemp("n")
    with running(mirror, HttpLimits(header_seconds=1, body_window_seconds=1)) as server:
        with nginx(folder, server.port, buffering) as front:
            for number, case in enumerate(CASES):
                with RawClient(front) as client:
                    client.send(case.payload)
                    if case.name.startswith("simple-request"):
                        client.rest()  # nginx takes HTTP/0.9, and answers in it: a body and nothing else
                    elif (answer := client.answer()) is not None:
                        assert answer.status not in (500, 502, 503, 504), case.name
                        assert "x-request-id" in answer.headers or answer.status == 200 or _is_of_nginx(answer), (
                            case.name
                        )
                with RawClient(front) as client:
                    second = client.send(get(b"/second/%d" % number)).answer()
                    assert second is not None, case.name
                    assert second.json()["path"] == f"/second/{number}", case.name
        assert not server.defects


@pytest.mark.parametrize(("attack", "limit"), [("-H", "slow headers"), ("-B", "slow bodies")])
def test_300_slow_connections_are_gone_after_their_time(tmp_path: Path, attack: str, limit: str) -> None:
    """By default: 5 s for headers; for bodies 10 s a window. A second and a half is for coming and for being swept."""
    with running(mirror, HttpLimits()) as server:
        command = ["slowhttptest", "-c", "300", attack, "-i", "1", "-r", "3000", "-l", "30", "-s", "8192"]
        done = subprocess.run(
            [*command, "-u", f"http://127.0.0.1:{server.port}/", "-g", "-o", "slow"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert "No open connections left" in done.stdout
        last = (tmp_path / "slow.csv").read_text().splitlines()[-1].split(",")
        assert int(last[0]) <= (6 if attack == "-H" else 12)
        assert [failure.status for failure in server.refused] == [408] * 300
        with RawClient(server.port) as client:
            answer = client.send(get()).answer()
            assert answer is not None
            assert answer.status == 200


def changed(payload: bytes, draw: random.Random) -> bytes:
    """One to four small changes: a byte, a cut, a doubling, a piece of another request."""
    data = bytearray(payload)
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(data) + 1)
        what = draw.randrange(5)
        if what == 0:
            data[at : at + 1] = bytes([draw.randrange(256)])
        elif what == 1:
            del data[at : at + draw.randint(1, 8)]
        elif what == 2:
            data[at:at] = data[at : at + draw.randint(1, 40)]
        elif what == 3:
            data[at:at] = draw.choice(
                (b"\r\n", b"\n", b"\r", b"\x00", b" ", b"\t", b":", b"0", b"chunked", b"Host: x\r\n")
            )
        else:
            other = draw.choice(CASES).payload[:4000]
            data[at:at] = other[draw.randrange(len(other) + 1) :][:60]
    return bytes(data)


@pytest.mark.parametrize("seed", range(8))
def test_requests_changed_at_random_are_answered_or_closed_and_never_by_a_5xx(seed: int) -> None:
    draw = random.Random(seed)
    seeds = [case.payload for case in CASES if 0 < len(case.payload) < 4000]
    with running(mirror, HttpLimits(header_seconds=1, body_window_seconds=1)) as server:
        for _ in range(25_000):
            _ask_changed(server, changed(draw.choice(seeds), draw))
        assert not server.defects


def _ask_changed(server: Running, payload: bytes) -> None:
    with RawClient(server.port) as client:
        client.send(payload).shut()
        while (answer := client.answer(to_head=payload.startswith(b"HEAD"))) is not None:
            assert answer.status in (200, 400, 401, 405, 408, 426, 431), payload
            if answer.status >= 400:
                assert answer.json()["error"]["message"], payload
                assert client.rest() == b"", payload
                break
