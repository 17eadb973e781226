"""What people typed for a ticket, as it would be sent: without secrets; and whose keys stood in it."""

from typing import Final

from msgspec import Struct

from tollhouse.access.exposed import REDACTED, keys_in, without_keys
from tollhouse.access.redaction import redact
from tollhouse.access.secrets import digest
from tollhouse.console.visit import Visit
from tollhouse.core.account import ApiKey
from tollhouse.core.failure import BadRequest, Conflict, RateLimited

TROUBLE: Final = (BadRequest, Conflict, RateLimited)


class CleanedForm(Struct, frozen=True):
    """`texts`: by the name of the field, as they may be kept. `taken`: how many secrets were taken out. `keys`: those
    of the account that stood there, which whoever saw them can use."""

    texts: dict[str, str]
    taken: int = 0
    keys: tuple[ApiKey, ...] = ()


def cleaned(visit: Visit, *names: str) -> CleanedForm:
    """The fields of the form of these names, without secrets."""
    texts, taken, found = {}, 0, {}
    for name in names:
        typed = visit.typed(name).replace("\r", "")
        for key in _own_keys(visit, typed):
            found[key.id] = key
        shown = redact(without_keys(typed)).text
        taken += max(0, shown.count(REDACTED) - typed.count(REDACTED))
        texts[name] = shown
    return CleanedForm(texts, taken, tuple(found.values()))


def _own_keys(visit: Visit, text: str) -> list[ApiKey]:
    """Another account's key is none that is named here."""
    account, directory = visit.account, visit.context.services.directory
    found = [directory.find(digest(one)) for one in keys_in(text)]
    return [one.key for one in found if one is not None and account is not None and one.account.id == account.id]
