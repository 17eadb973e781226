"""tollhouse serve: run the platform."""

from typing import Annotated

from cyclopts import Parameter

from tollhouse.cli import serving
from tollhouse.cli.alone import require_database
from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.configured import accepted, read_platform
from tollhouse.cli.terminal import show


def serve(
    *,
    listen: Annotated[str | None, Parameter(help="host:port; default: as [server] says")] = None,
    port: Annotated[int | None, Parameter(help="the port alone, on 127.0.0.1; 0: any free one")] = None,
    at: CommonOptions = DEFAULT_OPTIONS,
) -> None:
    """Apply platform.toml of the data folder, then serve until told to end. Exit code 2 names its mistakes."""
    flags = {"listen": listen if port is None else f"127.0.0.1:{port}"}
    reading = accepted(read_platform(at, flags))
    require_database(at, reading.settings)

    def ready(base_url: str) -> None:
        show(at, {"object": "server", "base_url": base_url}, f"tollhouse serves at {base_url}")

    serving.run(at, reading.settings, reading.catalogue, command="serve", create=False, on_ready=ready)
