"""Files that pages load: style, scripts, the icon. Read at the start; their addresses change with their content."""

from collections.abc import Mapping
from functools import cache
from gzip import compress
from hashlib import sha256
from importlib.resources import files
from typing import Final

from msgspec import Struct

PREFIX: Final = "/console/static/"
_TYPES: Final = {".css": b"text/css; charset=utf-8", ".js": b"text/javascript; charset=utf-8", ".svg": b"image/svg+xml"}


class StaticFile(Struct, frozen=True):
    """`packed`: the content as gzip."""

    content: bytes
    packed: bytes
    kind: bytes
    version: str  # of the content

    def body(self, accept_encoding: bytes) -> bytes:
        return self.packed if _takes_gzip(accept_encoding) else self.content

    def headers(self, query: bytes, accept_encoding: bytes) -> list[tuple[bytes, bytes]]:
        """The address that pages use names the version, and is good for ever; any other is asked for again."""
        fixed = query == b"v=" + self.version.encode()
        kept = b"public, max-age=31536000, immutable" if fixed else b"no-cache"
        headers = [(b"content-type", self.kind), (b"cache-control", kept), (b"vary", b"accept-encoding")]
        return [*headers, (b"content-encoding", b"gzip")] if _takes_gzip(accept_encoding) else headers


@cache
def _read() -> Mapping[str, StaticFile]:
    """By their paths: read and packed once in a process."""
    found: dict[str, StaticFile] = {}
    for file in files("tollhouse.console").joinpath("static").iterdir():
        kind = _TYPES.get(file.name[file.name.rfind(".") :])
        if kind is not None:
            content = file.read_bytes()
            version = sha256(content).hexdigest()[:12]
            found[PREFIX + file.name] = StaticFile(content, compress(content, 9, mtime=0), kind, version)
    return found


class StaticFiles:
    def __init__(self) -> None:
        self._files = _read()

    @property
    def paths(self) -> list[str]:
        return sorted(self._files)

    def find(self, path: str) -> StaticFile | None:
        return self._files.get(path)

    def address(self, name: str) -> str:
        """Of the file called so, with its version. Raises KeyError."""
        return f"{PREFIX}{name}?v={self._files[PREFIX + name].version}"


def _takes_gzip(accept_encoding: bytes) -> bool:
    for one in accept_encoding.split(b","):
        name, _, weight = one.partition(b";")
        if name.strip() == b"gzip":
            return weight.strip().removeprefix(b"q=").strip(b"0.") != b"" or not weight
    return False
