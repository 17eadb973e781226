"""platform.toml of the data folder, read by a command that needs it itself; most leave that to the server."""

from collections.abc import Mapping
from pathlib import Path

from tollhouse.cli.common_options import CommonOptions
from tollhouse.cli.trouble import Misuse
from tollhouse.edge.admin.context import config_environment
from tollhouse.services.platform_file import PlatformFile, read


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


def accepted(reading: PlatformFile) -> PlatformFile:
    """The same reading. Raises Misuse if it has mistakes, a line each."""
    if reading.mistakes:
        raise Misuse("\n".join(str(mistake) for mistake in reading.mistakes), code="invalid_configuration")
    return reading
