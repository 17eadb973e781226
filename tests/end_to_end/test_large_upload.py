"""A form of 200 MB passes through a platform that has no memory for it, and arrives as it was."""

import hashlib
import http.client
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.platform_process import PlatformProcess
from tollhouse.core.multipart import FormReader, boundary_of

MIB = 1024 * 1024
SIZE = 200 * MIB
MEMORY = 20 * MIB
PIECE = bytes(range(256)) * 4_096
CONFIG = """
[server]
metrics_address = "127.0.0.1:{{metrics_port}}"

[plans.default]
credit_limit_usd = "unlimited"

[providers.up]
kind = "openai_compatible"
base_url = "http://127.0.0.1:{port}/v1"

[providers.other]
kind = "openai_compatible"
base_url = "http://127.0.0.1:{port}/v1"

[models."house-1"]
offers = [{{ provider = "up", model = "up-house" }}, {{ provider = "other", model = "other-house", priority = 1 }}]
context_tokens = 128000
price = {{ per_second = "0.0001" }}
"""


class _Digest:
    """See `core.spool.Spool`: nothing is kept."""

    def __init__(self) -> None:
        self.found = hashlib.sha256()

    def write(self, data: bytes) -> None:
        self.found.update(data)

    def read(self, at: int, size: int) -> bytes:
        return b""

    def close(self) -> None: ...


class Transcriber(ThreadingHTTPServer):
    """Reads forms piece by piece, slowly where it is told to, and remembers of each its digest and fields."""

    daemon_threads = True

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.refuses = 0  # the next so many are answered with 503, once they have been read
        provider = self

        class FormHandler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                spool = _Digest()
                reader = FormReader(boundary_of(self.headers["Content-Type"].encode()), spool)
                left = int(self.headers["Content-Length"])
                while left:
                    data = self.rfile.read(min(left, 256 * 1024))
                    left -= len(data)
                    reader.feed(data)
                provider.seen.append((spool.found.hexdigest(), dict(reader.finish().fields)))
                status, answer = 200, {"text": "Zoll haus", "usage": {"type": "duration", "seconds": 3}}
                if provider.refuses:
                    provider.refuses -= 1
                    status, answer = 503, {"error": {"message": "later", "type": "server_error"}}
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), FormHandler)


@pytest.fixture
def provider() -> Iterator[Transcriber]:
    server = Transcriber()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def platform(tmp_path: Path, provider: Transcriber) -> Iterator[PlatformProcess]:
    running = PlatformProcess(tmp_path / "platform", CONFIG.format(port=provider.server_address[1]))
    yield running
    running.stop()


def upload(platform: PlatformProcess, size: int) -> tuple[int, Any, str]:
    """Send a file of so many bytes; gives the status, the answer and the digest of the file."""
    begin = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    end = b'\r\n--B\r\nContent-Disposition: form-data; name="model"\r\n\r\nhouse-1\r\n--B--\r\n'
    connection = http.client.HTTPConnection("127.0.0.1", platform.port, timeout=60)
    connection.putrequest("POST", "/v1/audio/transcriptions")
    connection.putheader("Authorization", f"Bearer {platform.key}")
    connection.putheader("Content-Type", "multipart/form-data; boundary=B")
    connection.putheader("Content-Length", str(len(begin) + size + len(end)))
    connection.endheaders(begin)
    digest = hashlib.sha256()
    for at in range(0, size, len(PIECE)):
        piece = PIECE[: size - at]
        digest.update(piece)
        connection.send(piece)
    connection.send(end)
    answer = connection.getresponse()
    told = json.loads(answer.read())
    connection.close()
    return answer.status, told, digest.hexdigest()


def memory(platform: PlatformProcess, name: str) -> int:
    status = Path(f"/proc/{platform.process.pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith(name))


def grown_by_upload(platform: PlatformProcess, provider: Transcriber) -> int:
    """Bytes of memory that the process had at most, besides what it had before."""
    Path(f"/proc/{platform.process.pid}/clear_refs").write_text("5", encoding="ascii")  # the most so far is forgotten
    before = memory(platform, "VmRSS")
    provider.seen.clear()
    provider.refuses = 1
    status, told, digest = upload(platform, SIZE)
    assert status == 200, told
    sent = [(digest, {"model": "up-house"}), (digest, {"model": "other-house"})]
    assert provider.seen == sent, "it was sent twice, the same each time"
    return memory(platform, "VmHWM") - before


def test_200_mb_cost_less_than_20_mb_of_memory(platform: PlatformProcess, provider: Transcriber) -> None:
    assert upload(platform, 2 * MIB)[0] == 200
    grown = min(grown_by_upload(platform, provider) for _ in range(3))  # what a process loads once is in the first
    print(f"{grown / MIB:.1f} MiB for {SIZE / MIB:.0f} MiB")
    assert grown < MEMORY
    assert not list(platform.folder.glob("upload-*")), "nothing of it has a name"
    open_files = [path.readlink().name for path in Path(f"/proc/{platform.process.pid}/fd").iterdir() if path.exists()]
    assert not [name for name in open_files if name.startswith("upload-")], "and nothing is open"
