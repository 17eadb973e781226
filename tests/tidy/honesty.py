"""Rules against pretending: unfinished places, tests that cannot fail or are not run, secrets and traces of a machine.

The patterns are spelled so that this file does not find itself.
"""

import ast
import re
from collections.abc import Iterator

from tests.tidy.source import Finding, Source, dotted, enclosing

_UNFINISHED = re.compile(r"\bTOD[O]\b|\bFIXM[E]\b|\bXX[X]\b|\bNotImplementedErro[r]\b|not implemente[d]")

_NOT_RUN = re.compile(r"(pytest|unittest)\.(\w+\.)?(skip\w*|xfail|importorskip|flaky|rerun|expectedFailure)")
_PATCHING = re.compile(r"monkeypatch\.(setattr|setitem|delattr)|(unittest\.)?mock\.\w+|mocker\.\w+|patch(\.\w+)?")
_SLEEP = frozenset({"time.sleep", "asyncio.sleep", "anyio.sleep"})

_SECRET = re.compile(r"\bsk-th-(?:live|test|admin)-[0-9A-Za-z]{49}\b|-----BEGIN [A-Z ]*PRIVATE KEY-----")
_TRACE = re.compile(r"(?<![\w.])/(work|root|home/\w+)/|/tmp/brie[f]|pythonhoste[d]|pyp[i]\.org")


def unfinished(path: str, text: str) -> Iterator[Finding]:
    for number, line in enumerate(text.splitlines(), 1):
        if match := _UNFINISHED.search(line):
            yield Finding(path, number, f"`{match[0]}`: finish it, or write down outside the code what is missing")


def leaked(path: str, text: str) -> Iterator[Finding]:
    for number, line in enumerate(text.splitlines(), 1):
        if _SECRET.search(line):
            yield Finding(path, number, "a secret stands here: revoke it if it is real; a test mints its own")
        if match := _TRACE.search(line):
            yield Finding(path, number, f"`{match[0]}` is a trace of one machine: say it without")


def not_run(source: Source) -> Iterator[Finding]:
    for node in source.nodes:
        if isinstance(node, ast.Attribute) and _NOT_RUN.fullmatch(name := dotted(node)):
            cure = f"`{name}`: a test either holds or is removed; provide what it needs"
            yield _within(source, node, cure)


def cannot_fail(source: Source) -> Iterator[Finding]:
    for node in source.nodes:
        if isinstance(node, ast.Assert) and isinstance(node.test, ast.Constant) and node.test.value:
            yield _within(source, node, "this cannot fail: state what must hold")


def patched(source: Source) -> Iterator[Finding]:
    for node in source.nodes:
        if isinstance(node, ast.Call) and _PATCHING.fullmatch(name := dotted(node.func)):
            yield _within(source, node, f"`{name}`: hand in a fake as an argument instead of patching")


def waits_blindly(source: Source) -> Iterator[Finding]:
    cure = "a sleep is too short on a slow machine and too long elsewhere: await the event itself"
    for node in source.nodes:
        if isinstance(node, ast.Call) and dotted(node.func) in _SLEEP and not _only_yields(node):
            yield _within(source, node, cure)


def _only_yields(sleep: ast.Call) -> bool:
    """`asyncio.sleep(0)` waits for nothing: it lets other tasks run."""
    return ast.unparse(sleep) == "asyncio.sleep(0)"


def _within(source: Source, node: ast.expr | ast.stmt, cure: str) -> Finding:
    return Finding(f"{source.path}::{enclosing(source, node.lineno)}", node.lineno, cure)
