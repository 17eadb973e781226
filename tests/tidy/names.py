"""The rule of the glossary: one class name, one meaning (docs/glossary.md)."""

import ast
from collections.abc import Iterable, Iterator

from tests.tidy.source import Finding, Source


def same_class_name(files: Iterable[Source]) -> Iterator[Finding]:
    """Two classes of the repository with the same name, wherever they stand. Nested and private classes count, too."""
    first: dict[str, str] = {}
    for file in files:
        for node in file.nodes:
            if isinstance(node, ast.ClassDef):
                known = first.setdefault(node.name, f"{file.path}:{node.lineno}")
                if known != f"{file.path}:{node.lineno}":
                    cure = f"{known} has a class of this name: give one of them the name of what it is"
                    yield Finding(f"{file.path}::{node.name}", node.lineno, cure)
