"""Where a command works and how it answers: the options every command takes, and what lies in the data folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tollhouse.cli.trouble import Misuse
from tollhouse.edge.admin.context import config_environment
from tollhouse.services.platform_file import FILE_NAME, PlatformFile, read
from tollhouse.settings import Settings

SOCKET = "tollhouse.sock"
LOCK = "tollhouse.lock"
DEMO_ENV = "demo.env"


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
        return self.dir / FILE_NAME


DEFAULT_OPTIONS = CommonOptions()


def read_platform(
    options: CommonOptions, flags: Mapping[str, str | int | None] | None = None, file: Path | None = None
) -> PlatformFile:
    """The data folder's platform.toml, or `file`; one that is absent is empty, unless it was named. Raises Misuse."""
    path = file or options.platform_file
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        if file is not None:
            raise Misuse(f"there is no file {file}", code="no_such_file") from None
        data = b""
    except OSError as error:
        raise Misuse(f"{path} cannot be read: {error.strerror}", code="unreadable_file") from error
    return read(data, config_environment(options.dir), flags)


def settings_of(
    options: CommonOptions, flags: Mapping[str, str | int | None] | None = None, file: Path | None = None
) -> Settings:
    """Settings without a mistake. Raises Misuse that names all of them."""
    return accepted(read_platform(options, flags, file)).settings


def accepted(reading: PlatformFile) -> PlatformFile:
    """The same reading. Raises Misuse if it has mistakes, a line each."""
    if reading.mistakes:
        raise Misuse("\n".join(str(mistake) for mistake in reading.mistakes), code="invalid_configuration")
    return reading
