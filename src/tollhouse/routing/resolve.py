"""From the name a caller wrote to a model he may call; and the list of all he may call, by the same rules.

Who may call what is the rule of the package `access` (`access.models.permission`); it comes in as `may_call`.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from itertools import islice
from typing import Final

from tollhouse.core.catalogue import Catalogue, Model
from tollhouse.core.failure import BadRequest, Failure, ModelNotAllowed, ModelNotFound
from tollhouse.core.operation import Operation
from tollhouse.core.spelling import nearest

MayCall = Callable[[Model], bool]

NAME_SHOWN_MAX: Final = 80
_COMPARED_MAX: Final = 32  # names; comparing costs some 20 microseconds each
_ASKED_MAX: Final = 256  # names, of which some may not be the key's to call


def resolve(
    catalogue: Catalogue, name: str, may_call: MayCall, now_ms: int, operation: Operation | None = None
) -> Model:
    """The model of this id or alias; ids go first. `operation`: what it is asked for, if that is to be checked.

    Raises ModelNotFound (with what was probably meant, or a retired model's successor), ModelNotAllowed, and BadRequest
    for a model that does not serve the operation.
    """
    model = catalogue.models.get(name)
    if model is None:
        model = _by_alias(catalogue, name)
        if model is None:
            raise _unknown(catalogue, name, may_call, now_ms)
    if not may_call(model):
        raise ModelNotAllowed(
            f"This API key may not call the model {_shown(name)}. GET /v1/models lists those it may.", param="model"
        )
    if model.retires_at is not None and is_retired(model, now_ms):
        raise _retired(model, name)
    if operation is not None and model.operations and operation not in model.operations:
        serves = ", ".join(model.operations)
        raise BadRequest(f"The model {_shown(name)} does not serve {operation}; it serves {serves}.", param="model")
    return model


def callable_models(catalogue: Catalogue, may_call: MayCall, now_ms: int) -> list[Model]:
    """Every model that `resolve` would give this caller, in the catalogue's order."""
    return [model for model in catalogue.models.values() if may_call(model) and not is_retired(model, now_ms)]


def is_retired(model: Model, now_ms: int) -> bool:
    """From the first moment (UTC) of its date on."""
    return model.retires_at is not None and now_ms >= _midnight_ms(model.retires_at)


def retirement_headers(model: Model) -> tuple[tuple[bytes, bytes], ...]:
    """For answers of a model that has a date: `Deprecation` (RFC 9745) and `Sunset` (RFC 8594). Nobody wrote down when
    the retirement was announced, so both name the date itself, as both RFCs allow."""
    return () if model.retires_at is None else _headers(model.retires_at)


@lru_cache(maxsize=256)
def _headers(retires_at: str) -> tuple[tuple[bytes, bytes], ...]:
    seconds = _midnight_ms(retires_at) // 1000
    sunset = format_datetime(datetime.fromtimestamp(seconds, UTC), usegmt=True)
    return ((b"deprecation", b"@%d" % seconds), (b"sunset", sunset.encode()))


@lru_cache(maxsize=256)
def _midnight_ms(day: str) -> int:
    return int(datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()) * 1000


def _by_alias(catalogue: Catalogue, name: str) -> Model | None:
    model_id = catalogue.ids_by_alias.get(name)
    return None if model_id is None else catalogue.models[model_id]


def _retired(model: Model, name: str) -> Failure:
    instead = f"; its successor is {model.successor}" if model.successor else ""
    return ModelNotFound(f"The model {_shown(name)} was retired on {model.retires_at}{instead}.", param="model")


def _unknown(catalogue: Catalogue, name: str, may_call: MayCall, now_ms: int) -> Failure:
    """Only names this caller may call are offered: others' existence is not told."""
    meant = _probably_meant(catalogue, name, lambda model: may_call(model) and not is_retired(model, now_ms))
    hint = f" Did you mean {meant}?" if meant else " GET /v1/models lists the models of this key."
    return ModelNotFound(f"The model {_shown(name)} does not exist or is not yours to call.{hint}", param="model")


def _probably_meant(catalogue: Catalogue, name: str, is_offered: MayCall) -> str:
    """Names are compared by their letters first; whether the key may call a model is asked of the likest only, for a
    key may have hundreds of patterns."""
    if len(name) > NAME_SHOWN_MAX:
        return ""
    folded = name.strip().casefold()
    last, letters = folded.rpartition("/")[2], set(folded)
    furthest = max(3, len(folded) // 2)
    likely: list[tuple[int, str, Model]] = []
    for model in catalogue.models.values():
        for known in (model.id, *model.aliases):
            other = known.casefold()
            if (other == folded or other.rpartition("/")[2] == last) and is_offered(model):
                return known
            if abs(len(other) - len(folded)) <= furthest:
                likely.append((len(letters.symmetric_difference(other)), known, model))
    likely.sort(key=lambda one: one[:2])
    offered = (known for _, known, model in likely[:_ASKED_MAX] if is_offered(model))
    best = nearest(folded, islice(offered, _COMPARED_MAX))
    return best if best and len(letters & set(best.casefold())) * 2 > len(letters) else ""


def _shown(name: str) -> str:
    if name.strip().removeprefix("Bearer ").startswith("sk-"):
        return "(what looks like an API key)"  # pasted into the wrong field: not to be repeated
    shown = name if len(name) <= NAME_SHOWN_MAX else name[:NAME_SHOWN_MAX] + "..."
    return f"`{shown}`"
