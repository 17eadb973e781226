"""Words that pages show and that stand in no template: those of code, marked where they stand, and those of records."""

from typing import Final, get_args

from tollhouse.access.roles import MEMBERS, PLATFORM
from tollhouse.billing.endings import parts_of_sentences
from tollhouse.billing.ledger import Kind as EntryKind
from tollhouse.billing.prices import UNITS
from tollhouse.billing.windows import WindowKind
from tollhouse.console.audit_words import names_of_fields
from tollhouse.console.snippets import clients
from tollhouse.core.account import KeyMode, KeyState
from tollhouse.core.failure_words import FAILURE_WORDS
from tollhouse.core.limit import LimitLevel
from tollhouse.core.notice import DeliveryState
from tollhouse.core.operation import Operation
from tollhouse.core.person import AccountRole, PlatformRole, Theme
from tollhouse.core.roll_up import UsageBy
from tollhouse.core.usage import BUCKETS
from tollhouse.core.usage_record import Ending
from tollhouse.limits.rules import Rules

_KINDS: Final = (
    *(AccountRole, PlatformRole, KeyMode, KeyState, Ending, WindowKind, LimitLevel, UsageBy, DeliveryState, Theme),
)


def of_records() -> set[str]:
    """What fields of records hold that pages show as they are."""
    kinds = {word for kind in _KINDS for word in get_args(kind)} | {"suspended", "disabled", "other"}
    named = {
        word.replace("_", " ")
        for word in (*get_args(EntryKind), *get_args(Operation), *BUCKETS, *UNITS.values(), *Rules().names)
    }
    failures = {word for words in FAILURE_WORDS.values() for word in words}
    return kinds | named | _of_clients() | verbs() | failures | parts_of_sentences() | names_of_fields()


def _of_clients() -> set[str]:
    """What is said of a client beside what is pasted."""
    return {one.note for one in clients() if one.note}


def verbs() -> set[str]:
    """What roles may do, without what it is done to."""
    return {verb_of(action) for roles in (MEMBERS, PLATFORM) for allowed in roles.values() for action in allowed}


def verb_of(action: str) -> str:
    return action.partition(".")[2].replace("_", " ")
