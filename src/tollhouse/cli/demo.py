"""tollhouse demo: everything at once, on an embedded database with a simulated provider."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions


def demo(
    *,
    port: Annotated[int | None, Parameter(help="0: any free one; default: as [server] listen says")] = None,
    config: Annotated[
        Path | None, Parameter(help="a platform.toml whose providers, models and settings come on top")
    ] = None,
    at: CommonOptions = DEFAULT_OPTIONS,
) -> None:
    """Start with an account, its keys and a simulated provider; the data folder is by default ./demo.

    Secrets are made once and kept in its demo.env.
    """
    from tollhouse.cli import demonstration

    demonstration.run(at, port, config)
