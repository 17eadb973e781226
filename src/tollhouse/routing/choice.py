"""In which order to try a model's offers, and with which of the provider's keys.

By priority; within one by weighted rendezvous hashing on the call's affinity: each offer draws a score from (affinity,
offer) alone, so a call that belongs to earlier ones finds the same offer, and an offer that goes away or comes back
moves only its own share. Over many affinities each offer leads in proportion to its weight. The keys of a provider are
ordered alike. What is open (`health`) is left out.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from math import log
from typing import Final, Protocol, get_args

from msgspec import Struct

from tollhouse.core.catalogue import Model, Offer
from tollhouse.core.failure import BadRequest, Failure, Overloaded, UpstreamRefusedKey, UpstreamSaturated
from tollhouse.core.operation import Operation
from tollhouse.routing.circuit import Cause
from tollhouse.routing.health import Health

KEYS_PER_OFFER: Final = 2  # of a provider with many keys, so that attempts are left for the next offer

_64 = (1 << 64) - 1


class Keyed(Protocol):
    """What is to be known of a provider: how many keys it has (one without keys counts as one slot), and what it can be
    asked for."""

    @property
    def keys(self) -> Sequence[str]: ...

    @property
    def operations(self) -> Collection[Operation]: ...


class Choice(Struct, frozen=True):
    offer: Offer
    slot: int  # index into the provider's keys


def rank(
    model: Model,
    destinations: Mapping[str, Keyed],
    health: Health,
    account: str,
    now_ms: int,
    affinity: int,
    operation: Operation = "chat",
) -> Sequence[Choice]:
    """What this account may try, best first; at least one. `destinations`: by provider id; an offer without one is left
    out, and one whose provider cannot be asked for the operation.

    For calls that gain nothing from a provider's cache (embeddings), `affinity` may be any random number.
    Raises UpstreamSaturated (429), UpstreamRefusedKey (502) or Overloaded (503) when everything is open: by the reason
    of what opens soonest, and with its time. Raises BadRequest where no offer's provider can be asked for it.
    """
    offers = model.offers
    calm = health.untroubled()
    if len(offers) == 1 and calm:
        keyed = destinations.get(offers[0].provider)
        if keyed is not None and len(keyed.keys) <= 1 and operation in keyed.operations:
            return (Choice(offers[0], 0),)
    choices: list[Choice] = []
    soonest: tuple[int, Cause] | None = None
    trial = False
    for offer in _in_order(offers, affinity):
        keyed = destinations.get(offer.provider)
        if keyed is None or operation not in keyed.operations:
            continue
        taken = 0
        for slot in _slots(offer.provider, len(keyed.keys), affinity):
            closed = None if calm else health.closed_until(account, offer, slot, now_ms)
            if closed is not None:
                soonest = closed if soonest is None else min(soonest, closed)
            elif taken < KEYS_PER_OFFER:
                if not calm and health.open_to_all(offer, slot, now_ms):
                    if trial:
                        continue  # a call goes through one open circuit, so that in an outage it makes one attempt
                    trial = True
                choices.append(Choice(offer, slot))
                taken += 1
    if not choices:
        raise _unserved(model, destinations, operation) or _nobody(model, soonest, now_ms)
    return choices


def _in_order(offers: tuple[Offer, ...], affinity: int) -> Sequence[Offer]:
    if len(offers) == 1:
        return offers
    priorities = [offer.priority for offer in offers]
    if len(set(priorities)) == len(offers):
        return sorted(offers, key=_priority)
    return sorted(offers, key=lambda offer: (offer.priority, -_score(offer, affinity)))


def _priority(offer: Offer) -> int:
    return offer.priority


def _score(offer: Offer, affinity: int) -> float:
    """-weight / ln(u) with u evenly in (0, 1): the highest of these leads with probability weight / sum of weights."""
    if offer.weight <= 0:
        return 0.0  # takes no share: only after all others of its priority
    drawn = _mix(affinity, _name_hash(offer.provider, offer.model)) >> 11
    return -offer.weight / log((drawn + 0.5) / (1 << 53))


def _slots(provider: str, count: int, affinity: int) -> Sequence[int]:
    if count <= 1:
        return (0,)
    return sorted(range(count), key=lambda slot: _mix(affinity, _name_hash(provider, f"key {slot}")))


def _mix(affinity: int, name: int) -> int:
    """Spread two numbers over 64 bits (the finisher of SplitMix64): neighbours in, strangers out."""
    mixed = (affinity * 0x9E3779B97F4A7C15 + name) & _64
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & _64
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _64
    return mixed ^ mixed >> 31


@lru_cache(maxsize=4096)
def _name_hash(provider: str, name: str) -> int:
    return int.from_bytes(blake2b(f"{provider}\0{name}".encode(), digest_size=8).digest(), "big")


def _unserved(model: Model, destinations: Mapping[str, Keyed], operation: Operation) -> Failure | None:
    """None: some offer's provider can be asked for the operation, or none is there at all."""
    present = [destinations[offer.provider] for offer in model.offers if offer.provider in destinations]
    if not present or any(operation in keyed.operations for keyed in present):
        return None
    served = ", ".join(one for one in get_args(Operation) if any(one in keyed.operations for keyed in present))
    serves = f"it serves {served}" if served else "it serves no operation of this API"
    return BadRequest(f"The model {model.id} does not serve {operation}; {serves}.", param="model")


def _nobody(model: Model, soonest: tuple[int, Cause] | None, now_ms: int) -> Failure:
    """Providers' names stay ours."""
    if soonest is None:
        return Overloaded(f"No provider serves the model {model.id} at the moment.")
    until_ms, cause = soonest
    wait_ms = until_ms - now_ms
    if cause == "refused":
        return UpstreamRefusedKey(
            f"The providers of the model {model.id} refuse this platform's credentials; its operator has to mend that."
        )
    after = f"try again in {-(-wait_ms // 1000)} s"
    if cause == "saturated":
        return UpstreamSaturated(
            f"The providers of the model {model.id} are saturated: {after}.", retry_after_ms=wait_ms
        )
    return Overloaded(
        f"The providers of the model {model.id} failed repeatedly and are left alone for a while: {after}.",
        retry_after_ms=wait_ms,
    )
