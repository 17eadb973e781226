"""A provider's own list of its models, as OpenAI, Anthropic and Google write it."""

from collections.abc import Collection
from typing import Final

from msgspec import Struct

from tollhouse.core.spelling import meant

_TOLD_MAX: Final = 3
_PREFIX: Final = "models/"


class ModelList(Struct, frozen=True):
    """`is_whole`: there is no further page."""

    names: tuple[str, ...]
    is_whole: bool

    def missing(self, asked: Collection[str]) -> str:
        """A clause that names those asked for that are not in it, with the nearest of each; empty where none is
        missing, or where nobody knows."""
        known = {name.removeprefix(_PREFIX) for name in self.names}
        lost = sorted({name for name in asked if name.removeprefix(_PREFIX) not in known})
        if not lost or not known or not self.is_whole:
            return ""
        told = ", ".join(_with_nearest(name, known) for name in lost[:_TOLD_MAX])
        more = f" and {len(lost) - _TOLD_MAX} more" if len(lost) > _TOLD_MAX else ""
        return f"; not among them: {told}{more}"


def read(listed: object) -> ModelList | None:
    """None: this is no such list."""
    if not isinstance(listed, dict):
        return None
    for member in ("data", "models"):
        if isinstance(models := listed.get(member), list):
            names = tuple(name for one in models if isinstance(one, dict) and (name := _name(one)))
            return ModelList(names, not listed.get("has_more") and not listed.get("nextPageToken"))
    return None


def _name(model: dict[str, object]) -> str:
    found = model.get("id") or model.get("name")
    return found if isinstance(found, str) else ""


def _with_nearest(name: str, known: Collection[str]) -> str:
    near = meant(name, known)
    return f"{name} (the nearest is {near})" if near else name
