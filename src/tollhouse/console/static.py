"""Files that pages load: style, scripts, the icon. Read at the start; their addresses change with their content."""

from hashlib import sha256
from importlib.resources import files
from typing import Final

from msgspec import Struct

PREFIX: Final = "/console/static/"
_TYPES: Final = {".css": b"text/css; charset=utf-8", ".js": b"text/javascript; charset=utf-8", ".svg": b"image/svg+xml"}


class StaticFile(Struct, frozen=True):
    content: bytes
    kind: bytes
    version: str  # of the content

    def headers(self, query: bytes) -> list[tuple[bytes, bytes]]:
        """The address that pages use names the version, and is good for ever; any other is asked for again."""
        fixed = query == b"v=" + self.version.encode()
        kept = b"public, max-age=31536000, immutable" if fixed else b"no-cache"
        return [(b"content-type", self.kind), (b"cache-control", kept)]


class StaticFiles:
    def __init__(self) -> None:
        self._files: dict[str, StaticFile] = {}
        for file in files("tollhouse.console").joinpath("static").iterdir():
            kind = _TYPES.get(file.name[file.name.rfind(".") :])
            if kind is not None:
                content = file.read_bytes()
                self._files[PREFIX + file.name] = StaticFile(content, kind, sha256(content).hexdigest()[:12])

    @property
    def paths(self) -> list[str]:
        return sorted(self._files)

    def find(self, path: str) -> StaticFile | None:
        return self._files.get(path)

    def address(self, name: str) -> str:
        """Of the file called so, with its version. Raises KeyError."""
        return f"{PREFIX}{name}?v={self._files[PREFIX + name].version}"
