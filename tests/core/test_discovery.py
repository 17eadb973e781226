"""What packages declare is found by walking them, and nothing else is."""

from types import ModuleType

from tollhouse.core.discovery import declared, modules_of

HERE = "tollhouse.core"


def test_every_module_of_a_package_is_found_once_by_its_own_name() -> None:
    found = dict(modules_of(HERE))
    assert found["discovery"].__name__ == f"{HERE}.discovery"
    assert len(list(modules_of(HERE))) == len(found)


def test_what_has_the_name_and_is_of_another_kind_is_left_out() -> None:
    assert list(declared((HERE,), "modules_of", ModuleType)) == []
    assert list(declared((HERE, HERE), "modules_of", type(modules_of))) == [modules_of, modules_of]
