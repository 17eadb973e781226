"""The contracts of `.importlinter` notice what they forbid: each is broken in a hollow copy of the platform."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tidy.source import ROOT

PACKAGES = (
    "access billing checklist cli console core core.amount edge gateway limits services outbound formats "
    "formats.openai formats.gemini providers providers.openai providers.azure routing store tokens upstream "
    "upstream.simulator"
)
PURE = ("access", "billing", "checklist", "core", "limits", "formats", "routing")
FILES = ("app.py", "clock.py", "collector.py", "settings.py", "processes.py", "threads.py")


def _build(folder: Path, *, importer: str = "", imported: str = "") -> None:
    """A platform of empty packages; one of them imports what it is told to."""
    for package in ("", *PACKAGES.split()):
        root_package = folder / "tollhouse" / package.replace(".", "/")
        root_package.mkdir(parents=True, exist_ok=True)
        (root_package / "__init__.py").touch()
    for file in FILES:
        (folder / "tollhouse" / file).touch()
    if importer:
        (folder / "tollhouse" / importer).write_text(f"import {imported}\n", encoding="utf-8")


def _lint(folder: Path) -> tuple[int, list[str]]:
    """The exit code, and the names of the broken contracts."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", str(ROOT / ".importlinter")]
    environment = {**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    return done.returncode, re.findall(r"^(.+?)(?::.*)? BROKEN$", done.stdout, re.MULTILINE)


def test_a_code_in_order_keeps_every_contract(tmp_path: Path) -> None:
    _build(tmp_path, importer="app.py", imported="tollhouse.store, tollhouse.gateway, tollhouse.clock, asyncio")
    assert _lint(tmp_path) == (0, [])


@pytest.mark.parametrize(
    ("importer", "imported", "broken"),
    [
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
    ],
)
def test_a_forbidden_import_breaks_its_contract(tmp_path: Path, importer: str, imported: str, broken: str) -> None:
    _build(tmp_path, importer=importer, imported=imported)
    code, contracts = _lint(tmp_path)
    assert code == 1
    assert broken in contracts


def test_a_ring_of_imports_is_found(tmp_path: Path) -> None:
    _build(tmp_path, importer="store/keys.py", imported="tollhouse.store.accounts")
    (tmp_path / "tollhouse/store/accounts.py").write_text("import tollhouse.store.keys\n", encoding="utf-8")
    assert _lint(tmp_path) == (1, ["Rings"])


def test_a_package_without_a_layer_is_found(tmp_path: Path) -> None:
    _build(tmp_path)
    (tmp_path / "tollhouse/attic.py").touch()
    code, _ = _lint(tmp_path)
    assert code == 1
