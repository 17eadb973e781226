"""Rules about names: one class name, one meaning (docs/glossary.md); a test is named by what it shows."""

import ast
from collections.abc import Iterable, Iterator

from tests.tidy.source import Finding, Source

TEST_NAME_WORDS_MIN = 3  # behind `test`: less is no sentence


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


def vague_test_name(source: Source) -> Iterator[Finding]:
    """Of every test: its name is a sentence, so that a line that failed says what no longer holds. The file names the
    unit; a number behind a name that is taken says nothing."""
    if not source.path.rpartition("/")[2].startswith("test_"):
        return
    tests = [(name, node) for name, node in source.functions if node.name.startswith("test_")]
    taken = {node.name for _, node in tests}
    for name, node in tests:
        first, _, last = node.name.rpartition("_")
        if len(node.name.split("_")) < 1 + TEST_NAME_WORDS_MIN or (last.isdigit() and first in taken):
            cure = "say what is tested and what it does, as in `test_a_frozen_key_is_refused`"
            yield Finding(f"{source.path}::{name}", node.lineno, cure)
