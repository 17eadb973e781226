"""Whose fault a failure is, told to health: in the name of the account, and never of a test-mode call."""

from msgspec import structs

from tollhouse.core.failure import (
    BadRequest,
    ConnectionsTaken,
    Defect,
    Failure,
    MemoryTaken,
    RequestTooLarge,
    UpstreamRefusedKey,
    UpstreamSaturated,
)
from tollhouse.gateway.ports import GatewayContext
from tollhouse.gateway.request_context import RequestContext
from tollhouse.providers import Fault
from tollhouse.routing.choice import Choice
from tollhouse.routing.health import Blame


def hold_against(gateway: GatewayContext, context: RequestContext, choice: Choice, fault: Fault) -> Fault:
    """Hold a failure against the offer or key that met it. Returns the fault in the light of what other accounts met.

    A call opens one circuit at most: the same request may make each offer fail that it is tried at, and must not close
    them all.
    """
    key = context.identity.key
    if key.mode == "test":
        return fault
    blame, opened = gateway.health.failed(
        key.account_id,
        choice.offer,
        choice.slot,
        fault.failure,
        fault.blame,
        fault.retry_after_ms,
        gateway.clock.now_ms(),
        gateway.chance(),
        may_open=not context.opened_circuit,
    )
    context.opened_circuit |= opened
    if fault.words and blame != "request":
        _note(gateway, context, choice, fault.words)
    if fault.blame == "doubtful" and blame == "key":
        refused = UpstreamRefusedKey("The provider refused this platform's credentials.")
        return Fault(failure=refused, blame="key", retry_after_ms=fault.retry_after_ms)
    return structs.replace(fault, blame=blame)


def blame_of(failure: Failure) -> Blame:
    """Whose fault a failure is that came without a status of its own: on the way, or hidden inside a 200."""
    if isinstance(failure, BadRequest | RequestTooLarge):
        return "request"
    if isinstance(failure, UpstreamSaturated | UpstreamRefusedKey):
        return "key"
    return "none" if isinstance(failure, Defect | ConnectionsTaken | MemoryTaken) else "offer"


def _note(gateway: GatewayContext, context: RequestContext, choice: Choice, words: str) -> None:
    """Keep the provider's own words for the operator, who alone can act on them."""
    offer = choice.offer
    if gateway.troubles.note(offer.provider, offer.model, words, gateway.clock.now_ms()):
        gateway.observer.troubled(context.call.id, offer.provider, offer.model, words)
