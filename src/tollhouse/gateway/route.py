"""Stage 4: from the model's name to what is to be tried, best first."""

from collections.abc import Sequence
from typing import Final

from tollhouse.access.models import permission
from tollhouse.core.catalogue import Model, Offer
from tollhouse.core.failure import ModelNotFound
from tollhouse.core.model_request import ModelRequest
from tollhouse.gateway.ports import GatewayContext
from tollhouse.gateway.request_context import RequestContext
from tollhouse.routing import resolve as names
from tollhouse.routing.affinity import affinity
from tollhouse.routing.choice import Choice, rank

SCRIPTED: Final = "simulate/"
SIMULATED: Final = "simulated"  # the destination of test-mode keys: no provider of the configuration can have this id


def resolve(gateway: GatewayContext, context: RequestContext, request: ModelRequest) -> Model:
    """The model a call is for. Raises ModelNotFound, ModelNotAllowed, BadRequest.

    A test-mode key sees the same models; besides, `simulate/<script>` names a test-mode call. Only names of ours are
    written down: a caller may have put a key, or his question, where the model belongs.
    """
    identity = context.identity
    if identity.key.mode == "test" and request.model.startswith(SCRIPTED):
        context.script = request.model.removeprefix(SCRIPTED)
        context.model = SCRIPTED.rstrip("/")
        return Model(id=request.model)
    if request.model.startswith(SCRIPTED) and request.model not in gateway.catalogue.models:
        raise ModelNotFound(
            "The models simulate/... play a script of the simulator, which only a test-mode key may ask for "
            "(sk-th-test-...); this call came with a live key.",
            param="model",
        )
    model = names.resolve(
        gateway.catalogue,
        request.model,
        permission(gateway.catalogue, identity),
        context.call.time_ms,
        context.call.operation,
    )
    context.model = model.id
    context.context_tokens = model.context_tokens
    context.longest_answer = request.longest_answer = model.max_output_tokens
    if model.retires_at is not None:
        context.headers += names.retirement_headers(model)
    return model


def route(gateway: GatewayContext, context: RequestContext, request: ModelRequest, model: Model) -> Sequence[Choice]:
    """What to try. Raises UpstreamSaturated, UpstreamRefusedKey or Overloaded where nobody can be asked, and BadRequest
    where no provider of the model can be asked for this operation."""
    if context.identity.key.mode == "test":
        context.destinations = gateway.test_mode_endpoints
        return (Choice(Offer(provider=SIMULATED, model=model.id), 0),)
    context.destinations = gateway.destinations
    key = context.identity.key
    together, call = affinity(key.id, request.affinity), context.call
    return rank(model, gateway.destinations, gateway.health, key.account_id, call.time_ms, together, call.operation)
