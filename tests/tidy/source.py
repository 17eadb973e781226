"""What the rules of the code look at: a file of the platform, read once, and what a rule has to say about it."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"
PACKAGE = SRC / "tollhouse"

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """A Python file. `path` is relative to the repository, with slashes."""

    path: str
    text: str
    tree: ast.Module

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the tree, those nearer to its root first. (`ast.walk` takes three times as long.)"""
        found: list[ast.AST] = [self.tree]
        for node in found:
            for value in vars(node).values():
                if isinstance(value, ast.AST):
                    found.append(value)
                elif isinstance(value, list):
                    found += [one for one in value if isinstance(one, ast.AST)]
        return tuple(found)

    @cached_property
    def functions(self) -> "tuple[tuple[str, FunctionNode], ...]":
        """Every function with its dotted name, nested ones too."""
        return tuple(_functions(self.tree, ""))


@dataclass(frozen=True)
class Finding:
    """A broken rule. `where` is `path` or `path::name`, as the list of exceptions spells it; `cure` says what to do."""

    where: str
    line: int
    cure: str

    def __str__(self) -> str:
        path, _, name = self.where.partition("::")
        return f"{path}:{self.line}: {name + ': ' if name else ''}{self.cure}"


Rule = Callable[[Source], Iterator[Finding]]


def parse(path: str, text: str) -> Source:
    return Source(path, text, ast.parse(text))


@cache
def _read(file: Path) -> Source:
    return parse(file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8"))


def sources(*folders: str) -> tuple[Source, ...]:
    """Every Python file below these folders of the repository, in a fixed order. Each is parsed once in a process; call
    it in a test and not beside one: every process that runs tests imports every module."""
    return tuple(_read(file) for folder in folders for file in sorted((ROOT / folder).rglob("*.py")))


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, FunctionNode]]:
    for child in ast.iter_child_nodes(node):
        name = prefix
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{prefix}.{child.name}" if prefix else child.name
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield name, child
        if not isinstance(child, ast.expr):  # no function stands in one but a lambda
            yield from _functions(child, name)


def enclosing(source: Source, line: int) -> str:
    """The dotted name of the innermost function that contains a line, or "" at module level."""
    around = [(node.lineno, name) for name, node in source.functions if node.lineno <= line <= (node.end_lineno or 0)]
    return max(around)[1] if around else ""


def imports(source: Source) -> Iterator[tuple[int, str]]:
    """The line and the name of every module that is imported, wherever the import stands."""
    for node in source.nodes:
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or "")


def dotted(node: ast.AST) -> str:
    """`a.b.c` of a name or an attribute chain, "" for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        front = dotted(node.value)
        return f"{front}.{node.attr}" if front else ""
    return ""
