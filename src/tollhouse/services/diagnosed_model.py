"""Step 3 of the checklist: a model's name, held against the list of one key."""

from tollhouse.access.models import permission
from tollhouse.checklist.examination import Examined
from tollhouse.checklist.model import plain, unknown
from tollhouse.checklist.steps import ChecklistStep, Trouble, green, not_run, red
from tollhouse.core.account import Identity
from tollhouse.core.catalogue import Model
from tollhouse.core.failure import Failure, ModelNotAllowed, ModelNotFound
from tollhouse.core.phrase import Phrase
from tollhouse.routing.resolve import callable_models, is_retired, resolve
from tollhouse.services.context import ServiceContext

_SCRIPTED = "simulate/"


def look_at_model(
    services: ServiceContext, examined: Examined, identity: Identity | None, now_ms: int
) -> tuple[Model | None, ChecklistStep]:
    name = examined.model
    if not name.strip():
        return None, not_run("model", Phrase("No model was named."))
    if identity is None:
        return None, not_run("model", Phrase("This needs a working key: each key has a list of its own."))
    if identity.key.mode == "test" and name.startswith(_SCRIPTED):
        return None, green("model", Phrase("With a test key, this name scripts an answer of the simulator."))
    catalogue = services.catalogue
    may_call = permission(catalogue, identity)
    try:
        model = resolve(catalogue, name, may_call, now_ms, examined.request.operation)
    except ModelNotFound:
        retired = _retired(services, name, now_ms)
        if retired is not None and may_call(retired):
            return None, red("model", _instead(retired))
        known = [model.id for model in callable_models(catalogue, may_call, now_ms)]
        aliases = [alias for model in callable_models(catalogue, may_call, now_ms) for alias in model.aliases]
        return None, red("model", unknown(name, [*known, *aliases]))
    except ModelNotAllowed as failure:
        cure = Phrase("Use one that GET /v1/models lists with this key, or have the models of the key extended.")
        return None, red("model", Trouble(failure.phrase, cure, failure.code))
    except Failure as failure:
        cure = Phrase("Call it by the path that it serves, or use another model.")
        return None, red("model", Trouble(failure.phrase, cure, failure.code))
    if model.retires_at is not None:
        reason = Phrase(
            "This key may call `%(model)s`, until it retires on %(day)s.", model=model.id, day=model.retires_at
        )
        return model, green("model", reason)
    return model, green("model", Phrase("This key may call `%(model)s`.", model=model.id))


def _retired(services: ServiceContext, name: str, now_ms: int) -> Model | None:
    """The model of this name, however it is spelled, that was retired."""
    wanted = plain(name)
    for model in services.catalogue.models.values():
        if is_retired(model, now_ms) and wanted in map(plain, (model.id, *model.aliases)):
            return model
    return None


def _instead(model: Model) -> Trouble:
    reason = Phrase("The model `%(model)s` was retired on %(day)s.", model=model.id, day=model.retires_at)
    cure = Phrase("Use another one that GET /v1/models lists.")
    if model.successor:
        cure = Phrase("Use its successor, `%(model)s`.", model=model.successor)
    return Trouble(reason, cure, "model_not_found")
