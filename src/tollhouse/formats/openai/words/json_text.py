"""JSON in a text: of arguments, and of what was kept for its maker."""

from tollhouse.core.provider_json import json_object


def input_of(arguments: str) -> str:
    """The text that a tool is to take, of the arguments of the function that stands for it. A model that wrote the text
    alone meant the same."""
    found = json_object(arguments)
    if found is None:
        return arguments
    text = found.get("input")
    if isinstance(text, str):
        return text
    only = list(found.values())
    return only[0] if len(only) == 1 and isinstance(only[0], str) else arguments
