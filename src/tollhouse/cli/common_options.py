"""Where a command works and how it answers: the options every command takes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tollhouse.core.data_folder import LOCK, PLATFORM_FILE, SOCKET


@Parameter(name="*")
@dataclass(frozen=True)
class CommonOptions:
    """The options of every command."""

    chosen: Annotated[
        Path | None, Parameter(name="--dir", env_var="TOLLHOUSE_DIR", help="the data folder; default: this folder")
    ] = None
    json: Annotated[bool, Parameter(negative=(), help="answer in JSON, as the control API does")] = False

    @property
    def dir(self) -> Path:
        """The data folder."""
        return self.chosen or Path()

    @property
    def socket(self) -> Path:
        return self.dir / SOCKET

    @property
    def lock(self) -> Path:
        return self.dir / LOCK

    @property
    def platform_file(self) -> Path:
        return self.dir / PLATFORM_FILE


DEFAULT_OPTIONS = CommonOptions()
