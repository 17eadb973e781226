"""What those who run the platform tell everybody of an incident."""

from typing import Final

from msgspec import Struct

TITLE_MAX: Final = 120
TEXT_MAX: Final = 2_000
MODELS_MAX: Final = 50
UPDATES_MAX: Final = 50
OPEN_MAX: Final = 20


class AnnouncementUpdate(Struct, frozen=True):
    """One thing that was said of it."""

    at_ms: int
    text: str


class Announcement(Struct, frozen=True, kw_only=True):
    """`models`: ids; none: it is about the platform as a whole. `updates`: the first one first."""

    id: str  # ann_...
    title: str
    models: tuple[str, ...] = ()
    updates: tuple[AnnouncementUpdate, ...]
    created_at_ms: int
    changed_at_ms: int
    closed_at_ms: int | None = None
