"""Circuit breakers: who is not to be asked for a while, by whom, and since when, and why.

There are circuits for each offer (provider and model) and for each provider key at that offer. A key's circuit is kept
per model because most providers limit and permit per model: a key that may not call one model must stay in use for the
others. What one account's requests provoke may be its own doing, so each circuit exists twice:

- An account's own circuit closes the offer or key to that account, with its own back-off.
- The shared circuit closes it to all, once it would open for the failures of all accounts together and no account was
  served within 30 s that has not opened its own circuit since. Even then accounts that have met no failure themselves
  are let through at a bounded rate in all (`panic`), and one success closes the circuit again. A `Retry-After` binds
  only the account that met it.

| outcome                                            | circuits of     | cause      | shared |
|----------------------------------------------------|-----------------|------------|--------|
| 5xx, timeout, broken answer or stream              | offer           | failing    | yes    |
| 404: the provider does not serve the model         | offer           | failing    | never  |
| 401, 402, 403: our key or account                  | key             | refused    | yes    |
| 403 that may be about the prompt, second account,  | key             | refused    | yes    |
| and nobody was served in between                   |                 |            |        |
| the same, first account                            | nobody          |            |        |
| 429                                                | key             | saturated  | yes    |
| a request that any provider refuses                | nobody          |            |        |

Circuits exist only while there is something to remember; a platform in good health has none, and asking costs a look
into an empty dict. Bounds: 4,096 circuits of accounts in all, the one whose failure is oldest goes first; shared ones
only for what is configured.
"""

from collections import OrderedDict
from typing import Final, Literal, NamedTuple

from msgspec import Struct

from tollhouse.core.catalogue import Offer
from tollhouse.core.failure import Failure, UpstreamSaturated
from tollhouse.routing.circuit import QUIET_MS, Cause, Circuit, State
from tollhouse.routing.panic import (
    KNOWN_BURST,
    KNOWN_PER_SECOND,
    STRANGERS_BURST,
    STRANGERS_PER_SECOND,
    Allowance,
)
from tollhouse.routing.served import WHOLE, CircuitKey, Served

Blame = Literal["request", "format", "doubtful", "key", "offer", "model", "none"]
"""Whose fault a failure was. `doubtful`: the request's, or the key's once a second account meets it. `model`: the offer
names a model that the provider does not serve. `format`: the provider is asked in a format that cannot say the
request, so nothing was sent. Held against an offer or key are only `key`, `offer` and `model`."""

OWN_MAX: Final = 4_096


class _Shared:
    """What all accounts together met at one offer or key."""

    __slots__ = ("circuit", "closed_ms", "known", "strangers", "suspected_by", "suspected_ms")

    def __init__(self) -> None:
        self.circuit = Circuit("failing")
        self.closed_ms = 0  # when a success closed it last
        self.known = Allowance(KNOWN_BURST, KNOWN_PER_SECOND)
        self.strangers = Allowance(STRANGERS_BURST, STRANGERS_PER_SECOND)
        self.suspected_by = ""  # the last account that met a doubtful refusal, nobody was served since
        self.suspected_ms = 0


class FailureReport(NamedTuple):
    """`blame`: whose fault a failure was in the light of what others met; `doubtful` became `request` or `key`."""

    blame: Blame
    opened: bool  # a circuit


class _Met(NamedTuple):
    account: str
    cause: Cause
    retry_after_ms: int | None
    now_ms: int
    jitter: float | None  # None: no circuit may open


class CircuitStatus(Struct, frozen=True, kw_only=True):
    """One shared circuit as people and metrics see it. `slot`: index of the provider key; None for the offer as such.
    `accounts`: how many accounts their own circuits keep away at the moment."""

    provider: str
    model: str
    slot: int | None
    state: State
    cause: Cause
    until_ms: int | None  # Unix milliseconds
    failures: int  # among the last 20 outcomes
    accounts: int


class Health:
    """What is known about offers and provider keys. Belongs to one event loop.

    The caller says `begin` before each attempt and one of `succeeded` and `failed` after it; a stream succeeds when its
    beginning is good, and fails as well if it breaks later. An attempt nobody reports on (the caller left) is harmless.
    """

    def __init__(self) -> None:
        self._shared: dict[CircuitKey, _Shared] = {}
        self._own: OrderedDict[tuple[CircuitKey, str], Circuit] = OrderedDict()  # newest failure last; never without
        # the shared one
        self._served = Served()

    def untroubled(self) -> bool:
        """Whether everything may be asked: the usual case, told in a fraction of a microsecond."""
        return not self._shared

    def closed_until(self, account: str, offer: Offer, slot: int, now_ms: int) -> tuple[int, Cause] | None:
        """None: the account may ask. Else until when not, and why."""
        worst: tuple[int, Cause] | None = None
        for key in _keys(offer, slot):
            closed = self._closed(account, key, now_ms)
            if closed is not None and (worst is None or worst[0] < closed[0]):
                worst = closed
        return worst

    def open_to_all(self, offer: Offer, slot: int, now_ms: int) -> bool:
        """Whether who may ask all the same is one of the few that are let through."""
        shared = (self._shared.get(key) for key in _keys(offer, slot))
        return any(one is not None and now_ms < one.circuit.until_ms for one in shared)

    def begin(self, account: str, offer: Offer, slot: int, now_ms: int) -> None:
        """An attempt begins. In a half-open circuit it is the probe, and others keep away until it reports."""
        if not self._shared:
            return
        for key in _keys(offer, slot):
            shared = self._shared.get(key)
            if shared is None:
                continue
            own = self._own_circuit(account, key, shared, now_ms)
            if own is not None:
                own.begin(now_ms)
            if now_ms < shared.circuit.until_ms:
                (shared.known if self._served.knows(account, key) else shared.strangers).take(now_ms)
            shared.circuit.begin(now_ms)

    def succeeded(self, account: str, offer: Offer, slot: int, began_ms: int, now_ms: int) -> None:
        """An attempt that began then was answered well."""
        self._served.note(account, (offer.provider, offer.model, slot), now_ms)
        if not self._shared:
            return
        for key in _keys(offer, slot):
            shared = self._shared.get(key)
            if shared is None:
                continue
            own = self._own.get((key, account))
            if own is not None:
                own.succeed(began_ms, now_ms)
            shared.suspected_by = ""
            if shared.circuit.succeed(began_ms, now_ms):
                shared.closed_ms = now_ms

    def failed(
        self,
        account: str,
        offer: Offer,
        slot: int,
        failure: Failure,
        blame: Blame,
        retry_after_ms: int | None,
        now_ms: int,
        jitter: float = 0.5,
        *,
        may_open: bool = True,
    ) -> FailureReport:
        """An attempt failed. `jitter` in [0, 1) spreads openings by +-20 %, so that processes do not probe at once.
        `may_open` is false where the same call has opened a circuit already: its failure is noted, opens no second."""
        whole, key = _keys(offer, slot)
        if blame == "doubtful":
            blame = "key" if self._second_to_meet(account, key, now_ms) else "request"
        opened = False
        if blame in ("offer", "model"):
            met = _Met(account, "failing", None, now_ms, jitter if may_open else None)
            opened = self._hold_against(whole, met, share=blame == "offer")
        elif blame == "key":
            saturated = isinstance(failure, UpstreamSaturated)
            cause: Cause = "saturated" if saturated else "refused"
            after_ms = retry_after_ms if saturated else None
            opened = self._hold_against(key, _Met(account, cause, after_ms, now_ms, jitter if may_open else None))
        if self._shared:
            self._release_probes(account, (whole, key), now_ms)
        return FailureReport(blame, opened)

    def forget(self, provider: str) -> None:
        """A provider's configuration changed or went: what was learned about it, and its keys, holds no more."""
        for own in [own for own in self._own if own[0][0] == provider]:
            del self._own[own]
        for key in [key for key in self._shared if key[0] == provider]:
            del self._shared[key]
        self._served.forget_provider(provider)

    def sweep(self, now_ms: int) -> None:
        """Forget what happened too long ago to matter. To be called once a minute or so."""
        for own in [own for own, circuit in self._own.items() if circuit.forgettable(now_ms)]:
            del self._own[own]
        needed = {key for key, _ in self._own}
        for key, shared in list(self._shared.items()):
            suspects = now_ms - shared.suspected_ms <= QUIET_MS
            if key not in needed and not suspects and shared.circuit.forgettable(now_ms):
                del self._shared[key]

    def snapshot(self, now_ms: int) -> list[CircuitStatus]:
        """Every offer and key that failed lately. Takes about a millisecond where memory is full."""
        away: dict[CircuitKey, int] = {}
        causes: dict[CircuitKey, Cause] = {}
        for (key, _), circuit in self._own.items():
            away[key] = away.get(key, 0) + (now_ms < circuit.until_ms)
            causes[key] = circuit.cause
        for key, shared in self._shared.items():
            if shared.circuit.history or shared.circuit.until_ms:
                causes[key] = shared.circuit.cause
        standings = []
        for key, cause in sorted(causes.items()):
            circuit = self._shared[key].circuit if key in self._shared else Circuit(cause)
            standings.append(
                CircuitStatus(
                    provider=key[0],
                    model=key[1],
                    slot=None if key[2] == WHOLE else key[2],
                    state=circuit.state(now_ms),
                    cause=cause,
                    until_ms=circuit.until_ms or None,
                    failures=circuit.history.bit_count(),
                    accounts=away.get(key, 0),
                )
            )
        return standings

    def size(self) -> int:
        """Entries in all, for tests of the bound."""
        return len(self._own) + len(self._shared) + self._served.size()

    def _closed(self, account: str, key: CircuitKey, now_ms: int) -> tuple[int, Cause] | None:
        shared = self._shared.get(key)
        if shared is None:
            return None
        own = self._own_circuit(account, key, shared, now_ms)
        if own is not None and now_ms < own.until_ms:
            return own.until_ms, own.cause
        if now_ms >= shared.circuit.until_ms:
            return None
        if self._served.knows(account, key):
            passes = shared.known.any(now_ms)
        else:
            passes = (own is None or not own.failed_lately(now_ms)) and shared.strangers.any(now_ms)
        return None if passes else (shared.circuit.until_ms, shared.circuit.cause)

    def _own_circuit(self, account: str, key: CircuitKey, shared: _Shared, now_ms: int) -> Circuit | None:
        """The account's own. If the shared one closed since, the provider recovered: the account may probe at once,
        unless the provider itself told it to wait."""
        own = self._own.get((key, account))
        if own is not None and own.until_ms > now_ms and not own.asked and shared.closed_ms > own.changed_ms:
            own.half_open(now_ms)
        return own

    def _second_to_meet(self, account: str, key: CircuitKey, now_ms: int) -> bool:
        """Note a refusal that may be about the prompt. Returns whether another account met one within 30 s, and nobody
        was served since."""
        shared = self._shared_at(key)
        other = shared.suspected_by not in ("", account) and now_ms - shared.suspected_ms <= QUIET_MS
        shared.suspected_by, shared.suspected_ms = account, now_ms
        return other

    def _hold_against(self, key: CircuitKey, met: _Met, *, share: bool = True) -> bool:
        """Note a failure. Returns whether it opened the account's own circuit, or the shared one."""
        shared = self._shared_at(key)
        own = self._own.get((key, met.account))
        if own is None:
            own = self._own[key, met.account] = Circuit(met.cause)
            if len(self._own) > OWN_MAX:
                self._own.popitem(last=False)
        else:
            self._own.move_to_end((key, met.account))
        opened = False
        if own.fail(met.cause, met.retry_after_ms, met.now_ms) and met.jitter is not None:
            own.open(met.retry_after_ms, met.now_ms, met.jitter)
            self._served.forget_account(met.account, key)
            opened = True
        ripe = share and shared.circuit.fail(met.cause, None, met.now_ms)
        if ripe and met.jitter is not None and not self._served.anybody_lately(key, met.now_ms):
            shared.circuit.open(None, met.now_ms, met.jitter)
            opened = True
        return opened

    def _shared_at(self, key: CircuitKey) -> _Shared:
        shared = self._shared.get(key)
        if shared is None:
            shared = self._shared[key] = _Shared()
        return shared

    def _release_probes(self, account: str, keys: tuple[CircuitKey, CircuitKey], now_ms: int) -> None:
        """A probe ended with an outcome that says nothing about this circuit: the next call may be the probe."""
        for key in keys:
            shared = self._shared.get(key)
            if shared is None:
                continue
            shared.circuit.release_probe(now_ms)
            own = self._own.get((key, account))
            if own is not None:
                own.release_probe(now_ms)


def _keys(offer: Offer, slot: int) -> tuple[CircuitKey, CircuitKey]:
    return (offer.provider, offer.model, WHOLE), (offer.provider, offer.model, slot)
