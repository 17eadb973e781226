"""All that a model wrote in a whole answer: what is counted where no usage came."""

from tollhouse.core.operation import Operation
from tollhouse.core.text_cut import TextLocation
from tollhouse.formats.openai import chunk as chunks
from tollhouse.formats.openai import text_locations


def text(operation: Operation, answer: chunks.Object) -> str:
    """Texts, refusals, shown reasoning, names and arguments of calls. An answer without any (a vector) has none."""
    return "".join(location.text for location in locations(operation, answer)).encode(errors="replace").decode()


def locations(operation: Operation, answer: chunks.Object) -> list[TextLocation]:
    """Every text that the model wrote, and where it stands."""
    if operation == "responses":
        return [location for item in items(answer) for location in text_locations.locations(item)]
    found: list[TextLocation] = []
    for choice in chunks.choices(answer):
        message = choice.get("message")
        written = choice.get("text")
        if isinstance(message, dict):
            found += text_locations.locations(message)
        elif isinstance(written, str):
            found.append(TextLocation(choice, "text", written))
    return found


def media(answer: chunks.Object) -> tuple[int, int]:
    """Characters of sound, in base64, and pictures that a whole answer holds."""
    found = [choice.get("message") for choice in chunks.choices(answer)]
    said = [message for message in found if isinstance(message, dict)] + items(answer)
    return sum(map(text_locations.sound_in, said)), sum(map(text_locations.pictures_in, said))


def items(answer: chunks.Object) -> list[chunks.Object]:
    """The items of a response."""
    output = answer.get("output")
    return [item for item in output if isinstance(item, dict)] if isinstance(output, list) else []
