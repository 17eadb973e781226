"""Kinds are found by walking the package, and each keeps the promises of `kind_contract`."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.providers.kind_contract import PROMISES
from tests.providers.toy_folder import toy_kinds
from tollhouse import providers
from tollhouse.providers import Kind, kinds, presets

FOLDER = Path(providers.__file__).parent


TABLED = {kind.name for kind in presets.KINDS}


def test_every_file_and_every_row_with_a_kind_is_found_in_the_order_of_names() -> None:
    files = [path.stem for path in FOLDER.glob("*.py") if "\nKIND: Final = Kind(" in path.read_text(encoding="utf-8")]
    assert len(files) > 1
    assert len(TABLED) == len(presets.KINDS)
    assert not TABLED.intersection(files)
    assert list(kinds()) == sorted([*files, *TABLED])


@pytest.mark.parametrize("name", [*sorted(kinds().keys() - TABLED), "presets"])
def test_a_kind_stands_in_the_file_of_its_name_and_knows_no_other(name: str) -> None:
    tree = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not imported & {f"tollhouse.providers.{other}" for other in kinds()}


@pytest.mark.parametrize("kind", kinds().values(), ids=lambda kind: kind.name)
@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_a_kind_keeps_its_promises(kind: Kind, promise: Callable[[Kind], None]) -> None:
    promise(kind)


def test_a_new_file_is_a_new_kind_and_is_held_to_the_same(tmp_path: Path) -> None:
    with toy_kinds(tmp_path) as found:
        assert list(found) == ["signed_toy"]
        for promise in PROMISES:
            promise(found["signed_toy"])
    assert "signed_toy" not in kinds()
