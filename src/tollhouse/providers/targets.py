"""Where operations stand below a base URL, for kinds whose paths name no model.

Text can be asked for in any format that the provider speaks, whatever the operation: its own format goes first, then
the provider's in their order. Other operations have one endpoint each, or none.
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

from tollhouse.core.catalogue import TextFormat
from tollhouse.core.operation import WIRE_FORMATS, Operation
from tollhouse.providers.kind import ChooseTarget, RefusedMembers, UpstreamTarget

OWN_FORMATS: Final[Mapping[Operation, TextFormat]] = {
    "chat": "openai_chat",
    "completions": "openai_chat",
    "responses": "openai_responses",
}
"""The text operations, each with the format that serves it unchanged."""


def spoken(operation: Operation, speaks: Collection[TextFormat], known: Collection[TextFormat]) -> TextFormat | None:
    """The format in which a text operation is asked for: its own where it is spoken, else the first that is. `known`:
    those that the kind has an endpoint for. None: none of them, or the operation is no text."""
    own = OWN_FORMATS.get(operation)
    if own is None:
        return None
    if own in speaks and own in known:
        return own
    return next((one for one in speaks if one in known), None)


def choose(
    text: Mapping[TextFormat, str],
    others: Mapping[Operation, str],
    refused: Mapping[TextFormat, RefusedMembers] = MappingProxyType({}),
) -> ChooseTarget:
    """`Kind.target` of a kind with these paths: of text by format; of `others` in OpenAI's formats, among them
    `completions` where the vendor has that old endpoint. refused: see `UpstreamTarget`, by format."""
    by_format = {name: UpstreamTarget(path, name, refused=refused.get(name)) for name, path in text.items()}
    by_operation = {name: UpstreamTarget(path, WIRE_FORMATS[name]) for name, path in others.items()}

    def target(operation: Operation, model: str, stream: bool, speaks: Collection[TextFormat]) -> UpstreamTarget | None:
        own = OWN_FORMATS.get(operation)
        if operation in by_operation and (own is None or own in speaks):
            return by_operation[operation]
        found = spoken(operation, speaks, by_format)
        return None if found is None else by_format[found]

    return target
