"""Circuit breakers: who is not to be asked for a while, and since when, and why.

There is a circuit for each offer (provider and model) and one for each provider key at that offer. A key's circuit is
kept per model because most providers limit and permit per model: a key that may not call one model must stay in use
for the others. A circuit exists only while there is something to remember; a platform in good health has none, and
asking costs a look into an empty dict.

    closed --- opens ---> open(until, why) --- until has passed ---> half open --- probe succeeds ---> closed
                            ^------------------ probe fails (twice as long) ---------'

| outcome                                 | circuit of | opens                                | for              |
|-----------------------------------------|------------|--------------------------------------|------------------|
| 5xx, timeout, broken answer or stream   | offer      | 5 in a row, or half of the last 20;  | 5 s, then twice  |
|                                         |            | 30 s without failure begin anew      | that, to 120 s   |
| 401, 402, 403: our key or account       | key        | at once                              | 10 s ... 300 s   |
| 429 with Retry-After                    | key        | at once                              | as asked, <300 s |
| 429 without                             | key        | 3 in a row                           | 1 s ... 30 s     |
| a request that any provider refuses     | nobody     |                                      |                  |
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from msgspec import Struct

from tollhouse.core.catalogue import Offer
from tollhouse.core.failure import Failure, UpstreamSaturated

Blame = Literal["request", "key", "offer", "none"]
"""Whose fault a failure was; only `key` and `offer` are held against anybody."""

Cause = Literal["failing", "refused", "saturated"]
State = Literal["closed", "open", "half_open"]

WINDOW: Final = 20  # outcomes that are remembered
WINDOW_FAILURES_MAX: Final = 10  # so many among them open the circuit
QUIET_MS: Final = 30_000  # failures further apart do not belong together
PROBE_MS: Final = 10_000  # a probe that has not reported by then does not keep the next one waiting
STEADY_MS: Final = 60_000  # closed for so long: the next opening is short again


class _Rule(Struct, frozen=True):
    streak_max: int  # failures in a row
    base_ms: int
    cap_ms: int


_RULES: Mapping[Cause, _Rule] = {
    "failing": _Rule(5, 5_000, 120_000),
    "refused": _Rule(1, 10_000, 300_000),
    "saturated": _Rule(3, 1_000, 30_000),
}
RETRY_AFTER_MAX_MS: Final = 300_000  # what a provider asks beyond that is tried once in a while all the same
_MASK: Final = (1 << WINDOW) - 1

Place = tuple[str, str, int]
"""Provider, upstream model, and the index of a provider key; `WHOLE` for the offer as such."""

WHOLE: Final = -1


@dataclass(slots=True)
class _Circuit:
    cause: Cause
    history: int = 0  # the last outcomes as bits, newest lowest; 1 is a failure
    streak: int = 0
    until_ms: int = 0  # 0: closed
    probing: bool = False
    level: int = 0  # how often it opened without being steady in between
    changed_ms: int = 0  # last failure, or when it closed

    def state(self, now_ms: int) -> State:
        if self.until_ms == 0:
            return "closed"
        return "open" if now_ms < self.until_ms else "half_open"


class Standing(Struct, frozen=True, kw_only=True):
    """One circuit as people and metrics see it. `slot`: index of the provider key; None for the offer as such."""

    provider: str
    model: str
    slot: int | None
    state: State
    cause: Cause
    until_ms: int | None  # Unix milliseconds
    failures: int  # among the last 20 outcomes


class Health:
    """What is known about offers and provider keys. Belongs to one event loop.

    The caller says `begin` before each attempt and one of `succeeded` and `failed` after it; a stream succeeds when its
    beginning is good, and fails as well if it breaks later. An attempt nobody reports on (the caller left) is harmless.
    """

    def __init__(self) -> None:
        self._circuits: dict[Place, _Circuit] = {}

    def untroubled(self) -> bool:
        """Whether everything may be asked: the usual case, told in a fraction of a microsecond."""
        return not self._circuits

    def closed_until(self, offer: Offer, slot: int, now_ms: int) -> tuple[int, Cause] | None:
        """None: may be asked. Else until when not, and why."""
        worst: tuple[int, Cause] | None = None
        for place in ((offer.provider, offer.model, WHOLE), (offer.provider, offer.model, slot)):
            circuit = self._circuits.get(place)
            if circuit is not None and now_ms < circuit.until_ms and (worst is None or worst[0] < circuit.until_ms):
                worst = circuit.until_ms, circuit.cause
        return worst

    def begin(self, offer: Offer, slot: int, now_ms: int) -> None:
        """An attempt begins. In a half-open circuit it is the probe, and others keep away until it reports."""
        if not self._circuits:
            return
        for place in ((offer.provider, offer.model, WHOLE), (offer.provider, offer.model, slot)):
            circuit = self._circuits.get(place)
            if circuit is not None and circuit.state(now_ms) == "half_open":
                circuit.probing = True
                circuit.until_ms = now_ms + PROBE_MS

    def succeeded(self, offer: Offer, slot: int, now_ms: int) -> None:
        """An attempt was answered well. A late success of a call that began before the opening closes nothing."""
        if not self._circuits:
            return
        for place in ((offer.provider, offer.model, WHOLE), (offer.provider, offer.model, slot)):
            circuit = self._circuits.get(place)
            if circuit is None:
                continue
            if circuit.until_ms == 0:
                circuit.history = circuit.history << 1 & _MASK
                circuit.streak = 0
                if circuit.history == 0 and now_ms - circuit.changed_ms > STEADY_MS:
                    del self._circuits[place]
            elif circuit.probing or now_ms >= circuit.until_ms:
                circuit.until_ms = circuit.history = circuit.streak = 0
                circuit.probing = False
                circuit.changed_ms = now_ms

    def failed(
        self,
        offer: Offer,
        slot: int,
        failure: Failure,
        blame: Blame,
        retry_after_ms: int | None,
        now_ms: int,
        jitter: float = 0.5,
    ) -> None:
        """An attempt failed. `jitter` in [0, 1) spreads openings by +-20 %, so that processes do not probe at once."""
        if blame == "offer":
            self._hold_against((offer.provider, offer.model, WHOLE), "failing", None, now_ms, jitter)
        elif blame == "key":
            place = (offer.provider, offer.model, slot)
            if isinstance(failure, UpstreamSaturated):
                self._hold_against(place, "saturated", retry_after_ms, now_ms, jitter)
            else:
                self._hold_against(place, "refused", None, now_ms, jitter)
        if self._circuits:
            self._release_probes(offer, slot, now_ms)

    def forget(self, provider: str) -> None:
        """A provider's configuration changed or went: what was learned about it, and its keys, holds no more."""
        for place in [place for place in self._circuits if place[0] == provider]:
            del self._circuits[place]

    def snapshot(self, now_ms: int) -> list[Standing]:
        """Every circuit there is; who is not listed is closed and has not failed lately."""
        return [
            Standing(
                provider=provider,
                model=model,
                slot=None if slot == WHOLE else slot,
                state=circuit.state(now_ms),
                cause=circuit.cause,
                until_ms=circuit.until_ms or None,
                failures=circuit.history.bit_count(),
            )
            for (provider, model, slot), circuit in sorted(self._circuits.items())
        ]

    def _hold_against(self, place: Place, cause: Cause, retry_after_ms: int | None, now_ms: int, jitter: float) -> None:
        circuit = self._circuits.get(place)
        if circuit is None:
            circuit = self._circuits[place] = _Circuit(cause)
        was_half_open = circuit.probing or circuit.state(now_ms) == "half_open"
        if circuit.until_ms and not was_half_open:
            if retry_after_ms is not None:  # a call that was under way brings a longer wait
                circuit.until_ms = max(circuit.until_ms, now_ms + min(retry_after_ms, RETRY_AFTER_MAX_MS))
            return
        if now_ms - circuit.changed_ms > QUIET_MS:
            circuit.history = circuit.streak = 0
        if not was_half_open and now_ms - circuit.changed_ms > STEADY_MS:
            circuit.level = 0
        circuit.cause = cause
        circuit.history = (circuit.history << 1 | 1) & _MASK
        circuit.streak += 1
        circuit.changed_ms = now_ms
        if (
            was_half_open
            or retry_after_ms is not None
            or circuit.streak >= _RULES[cause].streak_max
            or circuit.history.bit_count() >= WINDOW_FAILURES_MAX
        ):
            _open(circuit, retry_after_ms, now_ms, jitter)

    def _release_probes(self, offer: Offer, slot: int, now_ms: int) -> None:
        """A probe ended with an outcome that says nothing about this circuit: the next call may be the probe."""
        for place in ((offer.provider, offer.model, WHOLE), (offer.provider, offer.model, slot)):
            circuit = self._circuits.get(place)
            if circuit is not None and circuit.probing:
                circuit.probing = False
                circuit.until_ms = now_ms


def _open(circuit: _Circuit, retry_after_ms: int | None, now_ms: int, jitter: float) -> None:
    rule = _RULES[circuit.cause]
    if retry_after_ms is None:
        open_ms = int(min(rule.base_ms << min(circuit.level, 16), rule.cap_ms) * (0.8 + 0.4 * jitter))
        circuit.level += 1
    else:  # never sooner than asked
        open_ms = min(retry_after_ms, RETRY_AFTER_MAX_MS)
    circuit.probing = False
    circuit.until_ms = now_ms + max(open_ms, 1)
