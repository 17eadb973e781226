"""An answer in JSON from a model that takes no form of answers: it calls a tool whose one argument is the answer.

Models before Claude 4.5 know no `output_config.format`, and no model takes any JSON object as a form. A tool with no
members named would be called with none, so the answer stands below one.
"""

import re
from typing import Final

from tollhouse.core.conversation import Conversation, ToolChoice
from tollhouse.core.failure import UnsupportedParameter
from tollhouse.core.provider_json import Object, encode
from tollhouse.core.tool_schema import tool_schema
from tollhouse.formats.anthropic.models_known import always_thinks, structures

NAME: Final = "give_answer_as_json"
_MEMBER: Final = "answer"
_DESCRIPTION: Final = "Gives the answer to the user, as the JSON that was asked for. Call it once, with all of it."
_BEGIN: Final = re.compile(r'\s*\{\s*"answer"\s*:\s*')
_BEGIN_CHARACTERS_MAX: Final = 64
_KEPT_CHARACTERS_MAX: Final = 64
"""Of what may close the arguments: more of it is no JSON that a model writes."""
_SHARED: Final = ("$defs", "definitions")
"""What references lead to from the root of a schema."""


def is_wanted(conversation: Conversation, model: str) -> bool:
    """Whether the answer is to be given through the tool: not where a tool of the caller's must be called. Raises
    UnsupportedParameter where the model cannot be made to call it."""
    form, choice = conversation.output, conversation.tool_choice
    if form is None or (form.schema is not None and structures(model)):
        return False
    if choice is not None and choice.choosing in ("required", "named"):
        return False
    if always_thinks(model):
        param = conversation.uses.get("json_object", "response_format")
        raise UnsupportedParameter(f"'{param}' cannot be passed on: this model takes a JSON Schema alone.", param=param)
    return True


def choose_it(conversation: Conversation) -> Object:
    """The tool. From now on it must be called, or a tool of the caller's where these may be called."""
    choice = conversation.tool_choice
    if not conversation.tools or (choice is not None and choice.choosing == "none"):
        conversation.tool_choice = ToolChoice(choosing="named", names=(NAME,))
    else:
        names = () if choice is None else choice.names
        conversation.tool_choice = ToolChoice(choosing="required", names=names)
    form = conversation.output
    asked = {} if form is None or form.schema is None else form.schema
    shared: Object = {name: asked[name] for name in _SHARED if name in asked}
    answer = {name: value for name, value in asked.items() if name not in _SHARED} or {"type": "object"}
    whole: Object = {"type": "object", "properties": {_MEMBER: answer}, "required": [_MEMBER], **shared}
    return {"name": NAME, "description": _DESCRIPTION, "input_schema": tool_schema(whole)}


def answer_of(block: Object) -> str | None:
    """The answer that a call gives; None: it is a call of another tool."""
    if block.get("type") != "tool_use" or block.get("name") != NAME:
        return None
    given = block.get("input")
    if isinstance(given, dict) and given.keys() == {_MEMBER}:
        given = given[_MEMBER]
    return given if isinstance(given, str) else encode(given).decode()


class GrowingAnswer:
    """The answer, of arguments that come in pieces. What closes them waits for the end."""

    __slots__ = ("_begun", "_is_wrapped", "_kept")

    def __init__(self) -> None:
        self._kept = ""
        self._begun = False
        self._is_wrapped = False

    def add(self, piece: str) -> str:
        text = self._kept + piece
        if not self._begun:
            begin = _BEGIN.match(text)
            if begin is None and len(text) <= _BEGIN_CHARACTERS_MAX:
                self._kept = text
                return ""
            self._begun, self._is_wrapped = True, begin is not None
            text = text if begin is None else text[begin.end() :]
        if not self._is_wrapped:
            self._kept = ""
            return text
        closed = max(len(text.rstrip("} \t\r\n")), len(text) - _KEPT_CHARACTERS_MAX)
        self._kept = text[closed:]
        return text[:closed]

    def rest(self) -> str:
        """What is left but the last brace, which closed the arguments."""
        left, self._kept = self._kept, ""
        return left.rstrip().removesuffix("}").rstrip() if self._is_wrapped else left
