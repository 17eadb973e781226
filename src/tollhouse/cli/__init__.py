"""What an operator types.

Lives here: one file a command or group of commands, `terminal` (how answers and errors are shown), `control` (how a
command reaches the running server, or the database when none runs), `doctor/` (one check a file).
Does not live here: what commands do; that is the services, behind the control API.
Who calls: people and scripts, as `tollhouse ...`.
"""

from tollhouse.cli.command_line import main

__all__ = ["main"]
