"""All that a model wrote in a whole answer, as one text: what is counted where no usage came."""

from collections.abc import Iterator

from tollhouse.core.operation import Operation
from tollhouse.protocols.openai import chunk as chunks

_ITEM_TEXTS = ("name", "arguments", "input")
_PART_TEXTS = ("text", "refusal")


def text(operation: Operation, answer: chunks.Object) -> str:
    """Texts, refusals, shown reasoning, names and arguments of calls. An answer without any (a vector) has none."""
    found = _response(answer.get("output")) if operation == "responses" else _choices(answer)
    return "".join(found).encode(errors="replace").decode()


def media(answer: chunks.Object) -> tuple[int, int]:
    """Characters of sound, in base64, and pictures that a whole chat answer holds."""
    found = [choice.get("message") for choice in chunks.choices(answer)]
    messages = [message for message in found if isinstance(message, dict)]
    return sum(map(chunks.sound_in, messages)), sum(map(chunks.pictures_in, messages))


def _choices(answer: chunks.Object) -> Iterator[str]:
    for choice in chunks.choices(answer):
        message = choice.get("message")
        yield chunks.text_of(message if isinstance(message, dict) else {"content": choice.get("text")})


def _response(output: object) -> Iterator[str]:
    for item in _objects(output):
        yield from _texts(item, _ITEM_TEXTS)
        for part in (*_objects(item.get("content")), *_objects(item.get("summary"))):
            yield from _texts(part, _PART_TEXTS)


def _objects(value: object) -> list[chunks.Object]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _texts(place: chunks.Object, names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        value = place.get(name)
        if isinstance(value, str):
            yield value
