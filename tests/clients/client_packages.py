"""Packages of clients, which are no part of the project: Python's in a venv of their own, npm's with Node of that venv.

They are installed once, into `.venv-clients`, and anew when what they are made from changes. Some are large: the agents
take more than a gigabyte.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
HERE: Final = Path(__file__).parent
INSTALLED: Final = ROOT / ".venv-clients"
REQUIREMENTS: Final = HERE / "programs" / "requirements.txt"
INSTALL_SECONDS_MAX: Final = 900


@contextmanager
def _alone() -> Iterator[None]:
    """Several files of tests run side by side: one of them installs."""
    INSTALLED.mkdir(exist_ok=True)
    with (INSTALLED / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_done(mark: Path, made_from: Path) -> bool:
    return mark.exists() and mark.read_bytes() == made_from.read_bytes()


def _run(*command: str | Path, environment: Mapping[str, str] | None = None, folder: Path = ROOT) -> None:
    subprocess.run(command, cwd=folder, env=environment, check=True, timeout=INSTALL_SECONDS_MAX)


def python() -> Path:
    """The interpreter that finds Python's packages; Node stands beside it."""
    venv = INSTALLED / "python"
    interpreter, mark = venv / "bin" / "python", venv / "made_from"
    with _alone():
        if not _is_done(mark, REQUIREMENTS):
            uv = shutil.which("uv") or ROOT / ".uv" / "bin" / "uv"
            _run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, venv)
            _run(uv, "pip", "install", "--quiet", "--python", interpreter, "--requirement", REQUIREMENTS)
            mark.write_bytes(REQUIREMENTS.read_bytes())
    return interpreter


def with_node(**more: str) -> dict[str, str]:
    """An environment in which `node` and `npm` are found."""
    return {**os.environ, "PATH": f"{python().parent}{os.pathsep}{os.environ['PATH']}", **more}


def npm(name: str) -> Path:
    """A copy of the folder `name` beside this file, its packages in it."""
    folder, source = INSTALLED / name, HERE / name
    environment = with_node()
    with _alone():
        shutil.copytree(source, folder, dirs_exist_ok=True)
        mark = folder / "made_from"
        if not _is_done(mark, source / "package.json"):
            _run("npm", "install", "--silent", "--no-audit", "--no-fund", environment=environment, folder=folder)
            mark.write_bytes((source / "package.json").read_bytes())
    return folder
