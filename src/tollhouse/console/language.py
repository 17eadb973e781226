"""In which language a page is written: the one that is set, else the first that the browser asks for and we have."""

from collections.abc import Sequence
from typing import Final

NAMES: Final = {"en": "English", "zh-CN": "简体中文"}


def language_of(accept_language: bytes, offered: Sequence[str]) -> str:
    """accept_language: the header. offered: ours, the first is the default."""
    wanted: list[tuple[float, str]] = []
    for part in accept_language[:400].decode("latin-1").split(","):
        name, _, rest = part.strip().partition(";")
        try:
            weight = float(rest.strip().removeprefix("q=")) if rest else 1.0
        except ValueError:
            continue
        wanted.append((-weight, name.strip().lower()))
    for weight, name in sorted(wanted, key=lambda one: one[0]):
        if weight == 0:
            continue
        for ours in offered:
            if ours in NAMES and (name == ours.lower() or name.split("-")[0] == ours.lower().split("-")[0]):
                return ours
    return next((ours for ours in offered if ours in NAMES), "en")
