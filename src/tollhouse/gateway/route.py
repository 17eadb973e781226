"""Stage 4: from the model's name to what is to be tried, best first."""

from collections.abc import Sequence
from typing import Final

from tollhouse.access.models import permission
from tollhouse.core.catalogue import Model, Offer
from tollhouse.core.failure import ModelNotFound
from tollhouse.gateway.journey import Journey
from tollhouse.gateway.ports import House
from tollhouse.protocols.openai.request import Request
from tollhouse.routing import resolve as names
from tollhouse.routing.affinity import affinity
from tollhouse.routing.choice import Choice, rank

SCRIPTED: Final = "simulate/"
SIMULATED: Final = "simulated"  # the destination of test-mode keys: no provider of the configuration can have this id


def resolve(house: House, journey: Journey, request: Request) -> Model:
    """The model a call is for. Raises ModelNotFound, ModelNotAllowed, BadRequest.

    A test-mode key sees the same models; besides, `simulate/<script>` names a rehearsal. Only names of ours are written
    down: a caller may have put a key, or his question, where the model belongs.
    """
    identity = journey.identity
    if identity.key.mode == "test" and request.model.startswith(SCRIPTED):
        journey.script = request.model.removeprefix(SCRIPTED)
        journey.model = SCRIPTED.rstrip("/")
        return Model(id=request.model)
    if request.model.startswith(SCRIPTED) and request.model not in house.catalogue.models:
        raise ModelNotFound(
            "The models simulate/... play a script of the simulator, which only a test-mode key may ask for "
            "(sk-th-test-...); this call came with a live key.",
            param="model",
        )
    model = names.resolve(
        house.catalogue,
        request.model,
        permission(house.catalogue, identity),
        journey.call.time_ms,
        journey.call.operation,
    )
    journey.model = model.id
    journey.context_tokens, journey.longest_answer = model.context_tokens, model.max_output_tokens
    if model.retires_at is not None:
        journey.headers += names.retirement_headers(model)
    return model


def route(house: House, journey: Journey, request: Request, model: Model) -> Sequence[Choice]:
    """What to try. Raises UpstreamSaturated, UpstreamRefusedKey or Overloaded where nobody can be asked."""
    if journey.identity.key.mode == "test":
        journey.destinations = house.rehearsal
        return (Choice(Offer(provider=SIMULATED, model=model.id), 0),)
    journey.destinations = house.destinations
    key = journey.identity.key
    together = affinity(key.id, request.affinity)
    return rank(model, house.destinations, house.health, key.account_id, journey.call.time_ms, together)
