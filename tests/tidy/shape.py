"""Rules about the shape of files: their length, their names, what stands on top of them, where imports stand."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import PurePosixPath

from tests.tidy.source import Finding, Source, enclosing, imports

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60

_SAYS_NOTHING = re.compile(r"utils?|commons?|helpers?|types|managers?|misc|stuff|shared|lib|tools")

_PACKAGE = re.compile(r"src/tollhouse/.+/__init__\.py")
_PACKAGE_SAYS = (
    (r"lives? here|here lives?", "what lives here"),
    (r"\bnot\b", "what does not live here"),
    (r"\bcall(s|ed|ers?)?\b", "who calls"),
)


def long_file(source: Source) -> Iterator[Finding]:
    lines = source.text.count("\n")
    if lines > FILE_LINES_MAX:
        cure = f"{lines} lines, at most {FILE_LINES_MAX}: it holds more than one idea; give the second its own file"
        yield Finding(source.path, 1, cure)


def long_function(source: Source) -> Iterator[Finding]:
    for name, node in source.functions:
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > FUNCTION_LINES_MAX:
            cure = f"{lines} lines, at most {FUNCTION_LINES_MAX}: name one of its steps and make it a function"
            yield Finding(f"{source.path}::{name}", node.lineno, cure)


def empty_name(source: Source) -> Iterator[Finding]:
    path = PurePosixPath(source.path)
    for part in (*path.parts[:-1], path.stem):
        if _SAYS_NOTHING.fullmatch(part):
            yield Finding(source.path, 1, f"`{part}` says nothing: name the package by the noun its users would say")


def undocumented_package(source: Source) -> Iterator[Finding]:
    if not _PACKAGE.fullmatch(source.path):
        return
    text = (ast.get_docstring(source.tree) or "").lower()
    missing = [what for pattern, what in _PACKAGE_SAYS if not re.search(pattern, text)]
    if missing:
        yield Finding(source.path, 1, f"the package's docstring must say {', '.join(missing)}")


def hidden_import(source: Source) -> Iterator[Finding]:
    cure = "an import inside a function hides what the file needs: move it to the top"
    for line, name in imports(source):
        if enclosing(source, line):
            yield Finding(f"{source.path}::{name}", line, cure)


def core_needs_more(source: Source) -> Iterator[Finding]:
    allowed = sys.stdlib_module_names | {"msgspec", "tollhouse"}
    cure = "core speaks the standard library and msgspec only: let a higher layer use this package"
    for line, name in imports(source):
        if name.partition(".")[0] not in allowed:
            yield Finding(f"{source.path}::{name}", line, cure)
