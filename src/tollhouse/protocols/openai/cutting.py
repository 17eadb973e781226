"""Cutting an answer where it passes what its caller's money was held for.

Texts are kept in the order they were written, the one that does not fit any more is cut, and those behind it are
emptied; sound and pictures that do not fit are left out.
"""

from collections.abc import Callable, Iterable
from typing import Final

from tollhouse.core.operation import Operation
from tollhouse.core.usage import Usage
from tollhouse.protocols.openai import chunk as chunks
from tollhouse.protocols.openai import shown, written
from tollhouse.protocols.openai.media import PICTURE_TOKENS, sound_tokens
from tollhouse.protocols.openai.shown import Place

Count = Callable[[str], int]

STEPS_MAX: Final = 16
"""Of the search for the place to cut: to the character in texts of 65,536, to a few characters in longer ones."""
_CHARACTERS_PER_TOKEN: Final = 4


def cut_answer(operation: Operation, body: bytes, most: int, count: Count) -> tuple[bytes, Usage] | None:
    """The body of a whole answer, cut to `most` tokens by our count, and the output that is left. None: it has no more.

    The cut answer says that it ended at its length, and its usage what was counted of its output.
    """
    answer = chunks.decode(body)
    sound, pictures = written.media(answer)
    drawn, spoken = pictures * PICTURE_TOKENS, sound_tokens(sound)
    places = written.places(operation, answer)
    text = "".join(place.text for place in places)
    if min(tokens_of(text, count), len(text.encode(errors="replace"))) + drawn + spoken <= most:
        return None
    if drawn + spoken > most:
        _without_media(answer)
        drawn = spoken = 0
    said = keep(places, most - drawn - spoken, count)
    if operation == "responses":
        answer |= {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    else:
        for choice in chunks.choices(answer):
            choice["finish_reason"] = "length"
    return chunks.encode(answer), Usage(output=said, audio_out=spoken, image_out=drawn)


def cut_delta(choices: Iterable[chunks.Object], most: int, count: Count) -> int:
    """Cut what the choices of a chunk add to `most` tokens by our count, without sound and pictures. Gives how many are
    left."""
    left = most
    for choice in choices:
        text = choice.get("text")
        if isinstance(text, str):
            left -= keep([Place(choice, "text", text)], left, count)
            continue
        delta = chunks.delta_of(choice)
        for name in ("audio", "images"):
            delta.pop(name, None)
        left -= keep(shown.places(delta), left, count)
    return most - left


def keep(places: Iterable[Place], most: int, count: Count) -> int:
    """Cut the texts at these places to `most` tokens in all. Gives how many are left."""
    used, full = 0, most <= 0
    for holder, key, text in places:
        kept = "" if full else prefix(text, most - used, count)
        if len(kept) < len(text):
            holder[key], full = kept, True
        if kept:
            used += tokens_of(kept, count)
    return used


def prefix(text: str, most: int, count: Count) -> str:
    """The longest beginning of a text, or nearly, that has at most `most` tokens."""
    if most <= 0:
        return ""
    fits, beyond = 0, min(len(text), _CHARACTERS_PER_TOKEN * most)
    while tokens_of(text[:beyond], count) <= most:
        if beyond == len(text):
            return text
        fits, beyond = beyond, min(len(text), 2 * beyond)
    for _ in range(STEPS_MAX):
        if beyond - fits <= 1:
            break
        middle = (fits + beyond) // 2
        if tokens_of(text[:middle], count) <= most:
            fits = middle
        else:
            beyond = middle
    return text[:fits]


def tokens_of(text: str, count: Count) -> int:
    """Tokens by our count. A token has a byte at least: what a rule says beyond that is its error."""
    encoded = text.encode(errors="replace")
    return min(count(encoded.decode()), len(encoded))


def _without_media(answer: chunks.Object) -> None:
    messages = [choice.get("message") for choice in chunks.choices(answer)]
    for said in (*messages, *written.items(answer)):
        if isinstance(said, dict):
            for name in ("audio", "images", "result"):
                said.pop(name, None)
