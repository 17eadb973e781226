"""Rules against switches that do nothing: what is declared is read in `src`, outside of where it is declared."""

import ast
from collections.abc import Collection, Iterable, Iterator

from tests.tidy.source import Finding, Source, dotted


def attributes_read(files: Iterable[Source]) -> set[str]:
    """Every name that stands behind a dot and is not assigned to."""
    return {
        node.attr
        for file in files
        for node in file.nodes
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    }


def names_used(files: Iterable[Source]) -> set[str]:
    """Every name that is used otherwise than to import it."""
    return {node.id for file in files for node in file.nodes if isinstance(node, ast.Name)} | attributes_read(files)


def packages_imported(files: Iterable[Source]) -> set[str]:
    found: set[str] = set()
    for file in files:
        for node in file.nodes:
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
            elif isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] == "import_module":
                found |= {
                    arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
                }
    return found


def texts(files: Iterable[Source]) -> set[str]:
    return {
        node.value
        for file in files
        for node in file.nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def unread(
    declared: Iterable[str], where: str, read: Collection[str], later: Collection[str] = ()
) -> Iterator[Finding]:
    """What is declared and never read; and what is said to be for later and is read already. Names may be dotted: the
    last part is what is read."""
    for name in declared:
        is_read = name.rpartition(".")[2] in read
        if not is_read and name not in later:
            yield Finding(where, 1, f"`{name}` is read nowhere in src: wire it, remove it, or say that it is for later")
        elif is_read and name in later:
            yield Finding(where, 1, f"`{name}` is said to be for later, and is read: take it out of that list")
