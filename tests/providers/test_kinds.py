"""Kinds are found by walking the package, and each says all that the gateway asks."""

import ast
from pathlib import Path
from typing import get_args

import pytest

from tollhouse import providers
from tollhouse.core.catalogue import Provider
from tollhouse.core.operation import Operation
from tollhouse.providers import Kind, kinds

FOLDER = Path(providers.__file__).parent


def test_the_kinds_of_this_house() -> None:
    assert list(kinds()) == ["openai", "openai_compatible", "simulator"]


@pytest.mark.parametrize("name", list(kinds()))
def test_a_kind_stands_in_the_file_of_its_name_and_knows_no_other(name: str) -> None:
    tree = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not imported & {f"tollhouse.providers.{other}" for other in kinds()}


@pytest.mark.parametrize("kind", kinds().values(), ids=lambda kind: kind.name)
def test_a_kind_reaches_every_operation_below_its_base(kind: Kind) -> None:
    for operation in get_args(Operation):
        assert kind.target(operation).startswith("/")
    assert kind.headers("k", Provider(id="x", kind=kind.name), [])
    assert kind.speaks
