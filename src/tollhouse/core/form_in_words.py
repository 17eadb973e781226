"""The form of an answer, told to a model that takes it in words alone."""

from tollhouse.core.conversation import Message, OutputForm, TextPart
from tollhouse.core.provider_json import encode


def form_in_words(form: OutputForm, *, may_call: bool = False) -> Message:
    """What the system says of it. may_call: the model may call functions before it answers."""
    told = "Answer with one JSON object and nothing else."
    if form.schema is not None:
        told += f" It keeps to this JSON Schema: {encode(form.schema).decode()}"
    if may_call:
        told = f"Call functions first, where you need them. {told}"
    return Message(role="system", parts=[TextPart(text=told)])
