"""Words that pages show and that stand in no template: those of code, marked where they stand, and those of records."""

from typing import Final, get_args

from tollhouse.billing.windows import WindowKind
from tollhouse.core.account import KeyMode, KeyState
from tollhouse.core.limit import LimitLevel
from tollhouse.core.person import AccountRole, PlatformRole
from tollhouse.core.roll_up import UsageBy
from tollhouse.core.usage_record import Ending


def translatable(text: str) -> str:
    """Mark a text that `said` will translate: catalogues are made of what is marked."""
    return text


_KINDS: Final = (AccountRole, PlatformRole, KeyMode, KeyState, Ending, WindowKind, LimitLevel, UsageBy)


def of_records() -> set[str]:
    """What fields of records hold that pages show as they are."""
    return {word for kind in _KINDS for word in get_args(kind)} | {"suspended", "disabled"}
