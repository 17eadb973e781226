"""A buffered answer that passes what was held for: only what is paid for goes on.

Its text is counted only where its report is missing, or says more than may pass. One that reports more than it shows (a
model that thinks unseen) is passed on and charged as reported, unless its caller has set a maximum.
"""

from collections.abc import Callable

from msgspec import structs

from tollhouse.core.usage import Usage
from tollhouse.gateway.allowance import GENERATES
from tollhouse.gateway.answer import Whole
from tollhouse.gateway.journey import Journey
from tollhouse.gateway.large import counted_in_turn
from tollhouse.gateway.ports import House
from tollhouse.protocols.openai import answer as answers
from tollhouse.protocols.openai.cutting import cut_answer


async def cut_whole(house: House, journey: Journey, answer: Whole, beyond: Callable[[Usage], bool]) -> Usage | None:
    """Cut the answer to what may pass, and note whether it was. Gives the output that is left, where it was counted.

    beyond: whether a report is above the maximum that the caller set.
    """
    operation, reported = journey.call.operation, answer.reading.usage
    journey.cut = answer.cut
    most = journey.most_out
    if answer.cut or most is None or operation not in GENERATES:
        return None
    is_beyond = reported is not None and beyond(reported)
    if reported is not None and reported.tokens_out() <= most and not is_beyond:
        return None

    def cut() -> tuple[bytes, Usage] | None:
        return cut_answer(operation, answer.body, most, lambda text: house.count.count(text, journey.model))

    found = await counted_in_turn(house, journey.identity.account.id, len(answer.body), cut)
    if found is None:
        return None
    answer.body, left = found
    journey.cut = True
    return left


async def written(house: House, journey: Journey, body: bytes) -> Usage:
    """The output of a buffered answer, counted."""
    operation, account_id = journey.call.operation, journey.identity.account.id

    def read() -> tuple[str, Usage]:
        return answers.text(operation, body), answers.media(body)

    text, media = await counted_in_turn(house, account_id, len(body), read)
    tokens = await house.count.count_aside(text, journey.model, account_id)
    return structs.replace(media, output=min(tokens, len(text.encode())))
