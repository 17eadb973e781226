"""The contracts of `.importlinter` notice what they forbid: all are broken at once in a hollow copy of the platform."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.tidy.source import ROOT

PACKAGES = (
    "access billing checklist cli console core core.amount edge gateway limits services outbound formats "
    "formats.openai formats.gemini providers providers.openai providers.azure routing store tokens upstream "
    "upstream.simulator"
)
PURE = ("access", "billing", "checklist", "core", "limits", "formats", "routing")
FILES = ("app.py", "clock.py", "collector.py", "settings.py", "processes.py", "threads.py")


def _build(folder: Path, *imports: tuple[str, str]) -> None:
    """A platform of empty packages; importers (files) import what they are told to."""
    for package in ("", *PACKAGES.split()):
        root_package = folder / "tollhouse" / package.replace(".", "/")
        root_package.mkdir(parents=True, exist_ok=True)
        (root_package / "__init__.py").touch()
    for file in FILES:
        (folder / "tollhouse" / file).touch()
    for importer, imported in imports:
        with (folder / "tollhouse" / importer).open("a", encoding="utf-8") as module:
            module.write(f"import {imported}\n")


def _lint(folder: Path) -> tuple[int, str]:
    """The exit code, and what was found."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", str(ROOT / ".importlinter")]
    environment = {**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout


def _broken(report: str) -> list[str]:
    """The names of the broken contracts."""
    return re.findall(r"^(.+?)(?::.*)? BROKEN$", report, re.MULTILINE)


def test_a_code_in_order_keeps_every_contract(tmp_path: Path) -> None:
    _build(tmp_path, ("app.py", "tollhouse.store, tollhouse.gateway, tollhouse.clock, asyncio"))
    code, report = _lint(tmp_path)
    assert (code, _broken(report)) == (0, [])


FORBIDDEN: Final = (
    ("core/amount/__init__.py", "tollhouse.access", "Layers"),
    ("edge/router.py", "tollhouse.app", "Layers"),
    ("edge/router.py", "tollhouse.console", "Layers"),
    ("services/keys.py", "tollhouse.gateway", "Layers"),
    ("store/rows.py", "tollhouse.upstream", "Layers"),
    ("limits/requests.py", "tollhouse.billing", "Layers"),
    ("gateway/flow.py", "tollhouse.store", "Ports"),
    ("gateway/flow.py", "tollhouse.tokens", "Ports"),
    ("gateway/flow.py", "tollhouse.edge", "Ports"),
    ("services/keys.py", "tollhouse.outbound", "Service ports"),
    ("services/keys.py", "tollhouse.upstream.simulator", "Service ports"),
    ("gateway/flow.py", "tollhouse.formats", "Codecs"),
    ("gateway/flow.py", "tollhouse.formats.openai", "Codecs"),
    ("services/keys.py", "tollhouse.formats.gemini", "Codecs"),
    *((f"{package}/rule.py", "asyncio", "Pure") for package in PURE),
    *(("access/rule.py", name, "Pure") for name in ("socket", "sqlite3", "os", "threading", "time")),
    ("core/rule.py", "os.path", "Pure"),
    ("routing/rule.py", "tollhouse.clock", "Pure"),
    ("upstream/pool.py", "tollhouse.clock", "Clock"),
    ("gateway/read.py", "tollhouse.threads", "Clock"),
    ("gateway/read.py", "tollhouse.processes", "Clock"),
    ("processes.py", "tollhouse.gateway", "Beside"),
    ("threads.py", "tollhouse.gateway", "Beside"),
    ("settings.py", "tollhouse.routing", "Beside"),
    ("formats/gemini/request.py", "tollhouse.formats.openai", "Wire formats"),
    ("providers/azure/sign.py", "tollhouse.providers.openai", "Providers"),
)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What is found where all that is forbidden is imported."""
    folder = tmp_path_factory.mktemp("hollow")
    _build(folder, *((importer, imported) for importer, imported, _ in FORBIDDEN))
    code, report = _lint(folder)
    assert code == 1
    return report


@pytest.mark.parametrize(("importer", "imported", "broken"), FORBIDDEN)
def test_a_forbidden_import_breaks_its_contract(report: str, importer: str, imported: str, broken: str) -> None:
    assert broken in _broken(report)
    told = re.split(rf"^{broken}: .*\n-+$", report, flags=re.MULTILINE)[1]
    own = re.split(r"^\S.*\n-+$", told, flags=re.MULTILINE)[0]  # up to the next contract
    module = importer.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    assert re.search(rf"- +tollhouse\.{module} -> {imported.partition('.path')[0]} \(l\.", own)


def test_a_ring_of_imports_is_found(tmp_path: Path) -> None:
    _build(
        tmp_path,
        ("store/keys.py", "tollhouse.store.accounts"),
        ("store/accounts.py", "tollhouse.store.keys"),
    )
    code, report = _lint(tmp_path)
    assert (code, _broken(report)) == (1, ["Rings"])


def test_a_package_without_a_layer_is_found(tmp_path: Path) -> None:
    _build(tmp_path)
    (tmp_path / "tollhouse/attic.py").touch()
    code, _ = _lint(tmp_path)
    assert code == 1
