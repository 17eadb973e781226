"""tollhouse serve: run the platform."""

from typing import Annotated

from cyclopts import Parameter

from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions


def serve(
    *,
    listen: Annotated[str | None, Parameter(help="host:port; default: as [server] says")] = None,
    port: Annotated[int | None, Parameter(help="the port alone, on 127.0.0.1; 0: any free one")] = None,
    at: CommonOptions = DEFAULT_OPTIONS,
) -> None:
    """Apply platform.toml of the data folder, then serve until told to end. Exit code 2 names its mistakes."""
    from tollhouse.cli import serving

    serving.serve(at, listen if port is None else f"127.0.0.1:{port}")
