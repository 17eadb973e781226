"""How many of a thing there may be: whatever an object can grow has an end, so that no cost grows without one.

What is dead (revoked keys, archived projects, removed budgets) does not count. Lengths of single fields stand in
`fields`; docs/limits.md has all of them in one table.
"""

from typing import Final

from tollhouse.core.failure import Conflict
from tollhouse.core.phrase import Phrase

KEYS_MAX: Final = 5_000
"""Keys of an account that are not revoked."""
PROJECTS_MAX: Final = 1_000
"""Active projects of an account."""
BUDGETS_MAX: Final = 20
"""Budgets on one account, project or key: every call looks at those of its key, its project and its account."""
LIMITS_MAX: Final = 60
"""Limits on one account, project, key or model."""
TICKETS_MAX: Final = 20
"""Open tickets of an account."""
TICKETS_KEPT_MAX: Final = 1_000
"""Tickets of an account, closed ones included until they are deleted."""
MESSAGES_MAX: Final = 200
"""Texts and events in the thread of a ticket."""


def require_room(there_are: int, maximum: int, what: str, cure: str) -> None:
    """Raises Conflict where there is no room for one more. `what`: as "budgets on this key"."""
    if there_are >= maximum:
        raise Conflict(
            Phrase(
                "there are %(count)s %(what)s, of at most %(most)s: %(cure)s",
                count=there_are,
                what=what if isinstance(what, Phrase) else Phrase(what),
                most=maximum,
                cure=cure if isinstance(cure, Phrase) else Phrase(cure),
            )
        )
