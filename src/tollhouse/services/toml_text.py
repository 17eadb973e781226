"""The bytes of a TOML file as tables, and the line on which each key stands.

Lines are found by a second look at the text, because the standard parser does not tell them: exact for headers and
keys at the start of a line, the nearest enclosing key for what stands inside an inline table.
"""

import codecs
import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any

from tollhouse.services.toml_cures import cure
from tollhouse.settings import Mistake

KeyPath = tuple[str, ...]
Lines = dict[KeyPath, int]

_FOREIGN_MARKS: Mapping[bytes, str] = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_KEY = re.compile(r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'|\s*\.\s*)+?)\s*=""", re.ASCII)
_HEADER = re.compile(r"""\s*\[\s*(models|providers|plans)\s*\.\s*([^"'\]\[]+?)\s*\]?\s*(?:#.*)?$""")
_ASSIGNED = re.compile(r"\s*([^=\[{#]+?)\s*=\s*(.*)")
_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)$")


class NotToml(Exception):
    """The file cannot be read as a whole; `mistake` says why and where."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(str(mistake))
        self.mistake = mistake


def parse(data: bytes, name: str) -> tuple[dict[str, Any], Lines]:
    """Tables and lines of a file. A byte order mark and CRLF are accepted. Raises NotToml."""
    text = _decode(data, name)
    try:
        return tomllib.loads(text), _locate(text)
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.search(str(error))
        message = _PLACE.sub("", str(error))
        if place:
            message += f", column {place.group(2)}"
        line, column = (int(place.group(1)), int(place.group(2))) if place else (None, 1)
        message += _cure(text, line, column, _PLACE.sub("", str(error)))
        raise NotToml(Mistake(where=name, line=line, message=f"not TOML: {message}")) from error


def line_of(path: KeyPath, lines: Lines) -> int | None:
    """The line of a key, or of the nearest key or header that holds it."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


def written(path: KeyPath) -> str:
    """A path as TOML writes it: models."gpt-4.1".price"""
    return ".".join(part if _BARE.fullmatch(part) else json.dumps(part, ensure_ascii=False) for part in path)


def _cure(text: str, line: int | None, column: int, said: str) -> str:
    """What helps, behind a semicolon; a name that stands without the quotes that TOML asks for goes before all else."""
    at = text.split("\n")[line - 1] if line else ""
    header, assigned = _HEADER.match(at), _ASSIGNED.match(at)
    stands_alone = said.startswith(("Invalid initial", "Expected ']'", "Expected '='", "Invalid statement"))
    if header is not None and stands_alone and _is_a_name(header[2].strip()):
        return f"; a name with such a character stands in quotes: [{written((header[1], header[2].strip()))}]"
    name = assigned[1].strip() if assigned else ""
    if stands_alone and name[:1] not in "\"'" and not name.endswith(":") and _is_a_name(name):
        return f"; a name with such a character stands in quotes: {written((name,))} = ..."
    words = cure(text, line, column, said)
    return f"; {words}" if words else ""


def _is_a_name(name: str) -> bool:
    """One that would do if it stood in quotes: not bare, and of letters that were meant."""
    return _BARE.fullmatch(name) is None and all(letter.isalnum() or letter in " -_.:/@+" for letter in name)


def _decode(data: bytes, name: str) -> str:
    encoding = next((word for mark, word in _FOREIGN_MARKS.items() if data.startswith(mark)), None)
    if encoding is None and b"\0" in data[:4]:
        encoding = "UTF-16"  # without a mark: every other byte of ASCII text is NUL
    if encoding:
        raise NotToml(Mistake(where=name, message=f"the file is written in {encoding}; save it as UTF-8"))
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise NotToml(Mistake(where=name, line=line, message=message)) from error


def _locate(text: str) -> Lines:
    """The first line of each header and key. What only looks like one, in a long string, is at worst a spare entry."""
    lines: Lines = {}
    table: KeyPath = ()
    for number, line in enumerate(text.split("\n"), start=1):
        if line.lstrip().startswith("["):
            header = _single_path(line)
            if header:
                table = header
                for length in range(1, len(table) + 1):
                    lines.setdefault(table[:length], number)
        elif match := _KEY.match(line):
            key = _single_path(f"{match.group(1)} = 0")
            for length in range(1, len(key) + 1):
                lines.setdefault(table + key[:length], number)
    return lines


def _single_path(line: str) -> KeyPath:
    """The path of a header or key that stands alone on its line; empty when it is none."""
    try:
        value: object = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return ()
    path: list[str] = []
    while isinstance(value, dict | list) and value:
        if isinstance(value, list):
            value = value[0]
        else:
            name, value = next(iter(value.items()))
            path.append(name)
    return tuple(path)
