"""Words of a closed list: whoever gives another one is told the list, and which of it they may have meant."""

from collections.abc import Iterable
from typing import Final, get_args

from tollhouse.core.failure import BadRequest, every_failure
from tollhouse.core.operation import Operation
from tollhouse.core.phrase import Phrase
from tollhouse.core.roll_up import UNKNOWN
from tollhouse.core.spelling import meant
from tollhouse.services.context import ServiceContext

OPERATIONS: Final[tuple[str, ...]] = get_args(Operation)
_TOLD_MAX: Final = 16


def require_one_of(param: str, given: str | None, known: Iterable[str]) -> None:
    """Nothing given is no word of another list. Raises BadRequest."""
    words = tuple(known)
    if given is not None and given not in words:
        raise no_such(param, given, words)


def no_such(param: str, given: str, known: Iterable[str]) -> BadRequest:
    words = tuple(known)
    near = meant(given, words)
    if len(words) > _TOLD_MAX:
        shown = repr(given[:60])
        told = (
            Phrase("%(param)s: there is no %(given)s; did you mean %(near)s?", param=param, given=shown, near=near)
            if near
            else Phrase("%(param)s: there is no %(given)s", param=param, given=shown)
        )
        return BadRequest(told, param=param)
    every = ", ".join(words)
    if near:
        told = Phrase("%(param)s: there are %(known)s; did you mean %(near)s?", param=param, known=every, near=near)
    else:
        told = Phrase("%(param)s: there are %(known)s", param=param, known=every)
    return BadRequest(told, param=param)


def require_dialect(services: ServiceContext, given: str | None) -> None:
    """Of calls. Raises BadRequest."""
    require_one_of("dialect", given, services.dialects)


def require_operation(given: str | None) -> None:
    """Of calls. Raises BadRequest."""
    require_one_of("operation", given, OPERATIONS)


def require_summed(services: ServiceContext, dialect: str | None, operation: str | None) -> None:
    """Of sums, some of which are older than what they tell apart. Raises BadRequest."""
    require_one_of("dialect", dialect, (*services.dialects, UNKNOWN))
    require_one_of("operation", operation, (*OPERATIONS, UNKNOWN))


def require_code(given: str | None) -> None:
    """Of an error. Raises BadRequest."""
    require_one_of("error", given, sorted({kind.code for kind in every_failure()}))
