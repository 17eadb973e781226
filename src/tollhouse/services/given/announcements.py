"""What is given to tell everybody of an incident."""

from typing import Annotated

from msgspec import Struct

from tollhouse.core.fields import Help


class NewAnnouncement(Struct, frozen=True, kw_only=True):
    title: Annotated[str, Help("what is the matter, in a line")]
    text: Annotated[str, Help("what is known, and what is done")]
    models: Annotated[tuple[str, ...], Help("the models it is about; none: all", option="model")] = ()


class AnnouncementText(Struct, frozen=True, kw_only=True):
    text: Annotated[str, Help("what is new")]


class ClosingText(Struct, frozen=True, kw_only=True):
    text: Annotated[str, Help("how it ended")] = ""
