"""Cutting an answer where it passes what its caller's money was held for.

Texts are kept in the order they were written, the one that does not fit any more is cut, and those behind it are
emptied; sound and pictures that do not fit are left out.
"""

from collections.abc import Iterable

from tollhouse.core.media_tokens import PICTURE_TOKENS, sound_tokens
from tollhouse.core.operation import Operation
from tollhouse.core.text_cut import Count, TextLocation, keep, tokens_of
from tollhouse.core.usage import Usage
from tollhouse.formats.openai import chunk as chunks
from tollhouse.formats.openai import text_locations, written


def cut_answer(operation: Operation, body: bytes, maximum: int, count: Count) -> tuple[bytes, Usage] | None:
    """The body of a whole answer, cut to `most` tokens by our count, and the output that is left. None: it has no more.

    The cut answer says that it ended at its length, and its usage what was counted of its output.
    """
    answer = chunks.decode(body)
    sound, pictures = written.media(answer)
    drawn, spoken = pictures * PICTURE_TOKENS, sound_tokens(sound)
    locations = written.locations(operation, answer)
    text = "".join(location.text for location in locations)
    if min(tokens_of(text, count), len(text.encode(errors="replace"))) + drawn + spoken <= maximum:
        return None
    if drawn + spoken > maximum:
        _without_media(answer)
        drawn = spoken = 0
    said = keep(locations, maximum - drawn - spoken, count)
    if operation == "responses":
        answer |= {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    else:
        for choice in chunks.choices(answer):
            choice["finish_reason"] = "length"
    return chunks.encode(answer), Usage(output=said, audio_out=spoken, image_out=drawn)


def cut_delta(choices: Iterable[chunks.Object], maximum: int, count: Count) -> int:
    """Cut what the choices of a chunk add to `most` tokens by our count, without sound and pictures. Gives how many are
    left."""
    left = maximum
    for choice in choices:
        text = choice.get("text")
        if isinstance(text, str):
            left -= keep([TextLocation(choice, "text", text)], left, count)
            continue
        delta = chunks.delta_of(choice)
        for name in ("audio", "images"):
            delta.pop(name, None)
        left -= keep(text_locations.locations(delta), left, count)
    return maximum - left


def _without_media(answer: chunks.Object) -> None:
    messages = [choice.get("message") for choice in chunks.choices(answer)]
    for said in (*messages, *written.items(answer)):
        if isinstance(said, dict):
            for name in ("audio", "images", "result"):
                said.pop(name, None)
