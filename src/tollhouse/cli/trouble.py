"""How a command ends badly: one sentence for people, one JSON line for scripts, and an exit code."""

import msgspec

from tollhouse.core.failure import BadRequest, Failure, RequestTooLarge

FAILED = 1  # a check found something, or the action was refused
MISUSED = 2  # the command line or the configuration is wrong


class CommandFailed(Exception):
    """A command cannot go on. `message` is one sentence, or a line a mistake."""

    def __init__(self, message: str, *, code: str, exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.exit_code = exit_code


class Misuse(CommandFailed):
    """What was typed or configured is wrong; trying again does not help."""

    def __init__(self, message: str, *, code: str = "usage") -> None:
        super().__init__(message, code=code, exit_code=MISUSED)


def from_failure(failure: Failure) -> CommandFailed:
    misused = isinstance(failure, BadRequest | RequestTooLarge)
    return CommandFailed(failure.message, code=failure.code, exit_code=MISUSED if misused else FAILED)


def as_json(trouble: CommandFailed) -> str:
    return msgspec.json.encode({"error": {"message": trouble.message, "code": trouble.code}}).decode()
