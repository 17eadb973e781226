"""Programs that try again as they should, for the platform whose page shows them."""

from collections.abc import Sequence
from importlib.resources import files
from typing import Final

from tollhouse.console.visit import Visit

_BACKOFF: Final = (("curl", "curl.txt"), ("Python", "python.txt"), ("Node", "node.txt"))


def snippets(visit: Visit) -> Sequence[tuple[str, str]]:
    """Label and text."""
    folder = files("tollhouse.console").joinpath("backoff")
    texts = ((label, folder.joinpath(name).read_text("utf-8")) for label, name in _BACKOFF)
    model = some_model(visit)
    return [(label, text.replace("@BASE@", visit.base_url).replace("@MODEL@", model)) for label, text in texts]


def some_model(visit: Visit) -> str:
    """One that chats, where there is one."""
    models = visit.context.services.catalogue.models.values()
    chatting = [one.id for one in models if not one.operations or "chat" in one.operations]
    return min(chatting, default="gpt-4o-mini")
