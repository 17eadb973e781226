"""What runs before our first line: packages that hook into the interpreter's start, and packages without a hash.

A stolen release of a well-known gateway once did its harm from a `.pth` file, which Python executes at every start.
"""

import importlib.util
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from sysconfig import get_path

import tollhouse
from tests.tidy.source import ROOT, SRC

PTH_FILES_WITH_CODE: Mapping[str, str] = {
    "a1_coverage.pth": "brought by coverage, a development package: follows processes that a test starts",
    "_virtualenv.pth": "written by uv and virtualenv: keeps distutils settings from leaking into the environment",
}


def _pth_files() -> list[Path]:
    return sorted(Path(get_path("purelib")).glob("*.pth"))


def test_no_package_runs_code_at_the_start_of_python() -> None:
    running = {
        file.name for file in _pth_files() if re.search(r"^import\s", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert running <= set(PTH_FILES_WITH_CODE), "a package hooks into the start of Python: read it before it stays"


def test_the_only_path_that_is_added_is_our_own_source() -> None:
    lines = {line for file in _pth_files() for line in file.read_text(encoding="utf-8").splitlines()}
    added = {Path(line).resolve() for line in lines if line and not line.startswith(("#", "import "))}
    assert added == {SRC.resolve()}
    assert Path(tollhouse.__file__).is_relative_to(SRC)


def test_nothing_in_the_environment_customises_the_start() -> None:
    packages = Path(get_path("purelib")).resolve()
    for name in ("sitecustomize", "usercustomize"):
        spec = importlib.util.find_spec(name)
        assert spec is None or not Path(spec.origin or "").resolve().is_relative_to(packages)


def test_every_locked_file_has_a_hash() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    ours = [package for package in lock["package"] if package["source"] == {"editable": "."}]
    files = [
        file
        for package in lock["package"]
        if package not in ours
        for file in [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
    ]
    assert len(ours) == 1
    assert files
    assert all(file["hash"].startswith("sha256:") for file in files)
