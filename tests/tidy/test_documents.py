"""What the documents say is what stands: settings, dependencies, the map, the Makefile's own list."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tidy.source import PACKAGE, ROOT
from tollhouse.console import roles_table
from tollhouse.core.failure import every_failure
from tollhouse.core.failure_words import FAILURE_WORDS
from tollhouse.edge.admin.listing import render
from tollhouse.settings import render_docs

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=~!; ]", requirement, maxsplit=1)[0] for requirement in requirements}


def _described(page: str, heading: str) -> dict[str, str]:
    """The rows of the table below a heading: package -> reason."""
    section = page.split(f"## {heading}\n")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", section, re.MULTILINE))


def test_the_page_of_settings_is_the_table_of_settings() -> None:
    assert _page("settings.md") == render_docs(), "run make docs"


def test_the_page_of_who_may_do_what_in_the_console_is_made_from_its_pages() -> None:
    assert _page("console-roles.md") == roles_table.render(), "run make docs"


def test_the_list_of_routes_that_commands_use_is_the_table_of_routes() -> None:
    assert (PACKAGE / "cli" / "routes.py").read_text(encoding="utf-8") == render(), "run make docs"


@pytest.mark.parametrize(
    ("heading", "requirements"),
    [
        ("To run", PROJECT["project"]["dependencies"]),
        ("Optional", [name for group in PROJECT["project"]["optional-dependencies"].values() for name in group]),
        ("To develop and test", PROJECT["dependency-groups"]["dev"]),
    ],
)
def test_every_dependency_has_a_reason_and_every_reason_a_dependency(heading: str, requirements: list[str]) -> None:
    optional = _names([name for group in PROJECT["project"]["optional-dependencies"].values() for name in group])
    described = _described(_page("dependencies.md"), heading)
    wanted = _names(requirements) if heading == "Optional" else _names(requirements) - optional
    assert set(described) == wanted
    assert all(len(reason.split()) >= 2 for reason in described.values())


def test_the_lock_file_was_made_from_this_project() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    ours = next(package for package in lock["package"] if package["source"] == {"editable": "."})
    assert {row["name"] for row in ours["dependencies"]} == _names(PROJECT["project"]["dependencies"])
    assert {row["name"] for row in ours["dev-dependencies"]["dev"]} == _names(PROJECT["dependency-groups"]["dev"])


def test_errors_are_explained_in_the_words_of_their_page() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (.+) \| (.+) \|$", _page("errors.md"), re.MULTILINE)
    assert {(code, int(status)): (happened, cure) for code, status, happened, cure in rows} == FAILURE_WORDS


def test_every_failure_is_explained_with_its_status() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| .+ \| .+ \|$", _page("errors.md"), re.MULTILINE)
    assert sorted(rows) == sorted({(kind.code, str(kind.status)) for kind in every_failure()})


def _packages(folder: Path) -> Iterator[str]:
    for init in folder.rglob("*/__init__.py"):
        yield f"{init.parent.relative_to(folder).as_posix()}/"
    for file in folder.glob("*.py"):
        if not file.stem.startswith("__"):
            yield file.name


def test_the_map_shows_every_package_and_no_other() -> None:
    shown = re.findall(r"^\| \d? ?\| `([^`]+)` \| .+ \|$", _page("map.md").split("\n## ")[0], re.MULTILINE)
    assert sorted(shown) == sorted(_packages(PACKAGE))


def test_the_map_shows_packages_on_the_layers_that_the_contracts_give_them() -> None:
    rows = re.findall(r"^\| (\d?) ?\| `([^`/]+?)(?:\.py|/)` \|", _page("map.md"), re.MULTILINE)
    layers: list[list[str]] = []
    for layer, package in rows:
        layers += [[]] if layer else []
        layers[-1].append(package)
    contract = (ROOT / ".importlinter").read_text(encoding="utf-8")
    contract_layers = contract.split("layers =\n")[1].split("\nbroken_contract_guidance")[0].splitlines()
    assert len(layers) == len(contract_layers)
    for layer, contract_layer in zip(layers, contract_layers, strict=True):
        assert set(layer) - {"settings", "clock", "collector", "spools", "threads", "processes"} <= set(
            re.findall(r"\w+", contract_layer)
        )


def test_make_without_a_target_explains_every_target() -> None:
    shown = subprocess.run(["make", "-s"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for target in ("run", "test", "test-long", "test-clients", "check", "fix", "bench", "docs"):
        assert re.search(rf"^  make {target} +\S", shown, re.MULTILINE), target


def test_every_link_between_the_pages_leads_somewhere() -> None:
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)}: {target}"


@pytest.mark.parametrize("page", ["fairness.md", "reliability.md"])
def test_every_test_that_a_page_names_is_there(page: str) -> None:
    """A file or folder of tests, and behind `::` a test or the beginning of its name."""
    named = re.findall(r"`(tests/[\w/.]*\w)(?:::(\w+))?", _page(page))
    assert named
    for path, test in named:
        found = ROOT / path
        assert found.exists(), f"{page} names {path}"
        assert not test or f"def {test}" in found.read_text(encoding="utf-8"), f"{page} names {path}::{test}"


def test_every_resource_has_a_test_and_says_who_waits() -> None:
    rows = re.findall(r"^\| (?!resource|---)([^|]+)\|(.+)\|$", _page("fairness.md"), re.MULTILINE)
    assert len(rows) > 30
    for resource, rest in rows:
        *bounds, waits, test = rest.split(" | ")
        assert any(bound.strip() != "-" for bound in bounds), resource
        assert waits.strip(), resource
        assert "`tests/" in test, resource
