"""Stage 3: limits. A call that is let in holds its place until the journey ends; a refused one leaves no trace."""

from types import TracebackType
from typing import Final

from tollhouse.core.catalogue import Model
from tollhouse.core.failure import Failure
from tollhouse.gateway.journey import Journey
from tollhouse.gateway.ports import House
from tollhouse.protocols.openai.request import Request

BYTES_PER_TOKEN: Final = 4  # what is reserved for input that nobody has counted; corrected at settlement
MEDIA_TOKENS: Final = 1_000  # for each part of media: about an image; a hold, which must be enough, counts on far more


class admitted:  # noqa: N801 - reads as a word of the flow: `with admitted(...)`
    """`with admitted(...)`: raises RateLimited on entering, frees the place on leaving."""

    __slots__ = ("_admission", "_house", "_journey", "_model", "_tokens")

    def __init__(self, house: House, journey: Journey, request: Request, model: Model) -> None:
        self._house = house
        self._journey = journey
        self._model = model
        self._tokens = reserved(journey, request)

    def __enter__(self) -> None:
        journey = self._journey
        if journey.entry is not None:  # from here on the call has a place of its own
            journey.entry.release()
            journey.entry = None
        now_ms, dialect = journey.call.time_ms, journey.call.dialect
        self._admission = self._house.limits.admit(journey.identity, self._model, self._tokens, now_ms, dialect)
        journey.headers += self._admission.headers(now_ms)
        journey.limits = self._admission.passed
        journey.admitted_ms = self._house.since_ms(journey.call)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        refused = isinstance(error, Failure) and not self._journey.dispatched
        self._admission.release(self._journey.usage, self._house.clock.now_ms(), refused=refused)


def reserved(journey: Journey, request: Request) -> int:
    """Tokens that a call counts for until it is known what it used."""
    asked = journey.asked
    tokens = asked.bytes // BYTES_PER_TOKEN + asked.parts * MEDIA_TOKENS
    return tokens if request.output_cap is None else tokens + request.output_cap * request.n
