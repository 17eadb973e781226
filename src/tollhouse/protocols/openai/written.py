"""All that a model wrote in a whole answer: what is counted where no usage came."""

from tollhouse.core.operation import Operation
from tollhouse.protocols.openai import chunk as chunks
from tollhouse.protocols.openai import shown
from tollhouse.protocols.openai.shown import Place


def text(operation: Operation, answer: chunks.Object) -> str:
    """Texts, refusals, shown reasoning, names and arguments of calls. An answer without any (a vector) has none."""
    return "".join(place.text for place in places(operation, answer)).encode(errors="replace").decode()


def places(operation: Operation, answer: chunks.Object) -> list[Place]:
    """Every text that the model wrote, and where it stands."""
    if operation == "responses":
        return [place for item in items(answer) for place in shown.places(item)]
    found: list[Place] = []
    for choice in chunks.choices(answer):
        message = choice.get("message")
        written = choice.get("text")
        if isinstance(message, dict):
            found += shown.places(message)
        elif isinstance(written, str):
            found.append(Place(choice, "text", written))
    return found


def media(answer: chunks.Object) -> tuple[int, int]:
    """Characters of sound, in base64, and pictures that a whole answer holds."""
    found = [choice.get("message") for choice in chunks.choices(answer)]
    said = [message for message in found if isinstance(message, dict)] + items(answer)
    return sum(map(shown.sound_in, said)), sum(map(shown.pictures_in, said))


def items(answer: chunks.Object) -> list[chunks.Object]:
    """The items of a response."""
    output = answer.get("output")
    return [item for item in output if isinstance(item, dict)] if isinstance(output, list) else []
