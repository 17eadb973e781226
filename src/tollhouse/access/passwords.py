"""What a password of the console must be like. Hashing and comparing happen elsewhere, in a thread.

The rule follows NIST SP 800-63B: length counts, kinds of characters do not; what everybody tries first is refused.
"""

import re
from typing import Final

from tollhouse.core.failure import BadRequest

LENGTH_MIN: Final = 12
LENGTH_MAX: Final = 256  # hashing takes time for every byte
_DIFFERENT_MIN: Final = 5
_WORD_MIN: Final = 4  # shorter parts of a name occur in any text
_REST_MIN: Final = 8  # what must be left without the parts of the name

_TRIED_FIRST = re.compile(
    r"(?:password|passwort|passw0rd|qwertyuiop|qwertzuiop|letmein|welcome|iloveyou|administrator|admin|changeme"
    r"|trustno|monkey|dragon|master|football|baseball|superman|tollhouse|openai|secret|test|[0-9]|[^\w])+",
    re.IGNORECASE,
)


def require_good(password: str, *about: str) -> None:
    """Refuse a password that is short, endless, uniform, tried first, or made of what is known about the person.

    `about`: mail address, name, name of the platform. Raises BadRequest whose message never repeats the password.
    """
    reason = _reason(password, about)
    if reason is not None:
        raise BadRequest(f"The password {reason}. Four or five unrelated words make a good one.", param="password")


def _reason(password: str, about: tuple[str, ...]) -> str | None:
    if len(password) < LENGTH_MIN:
        return f"has {len(password)} characters and needs at least {LENGTH_MIN}"
    if len(password) > LENGTH_MAX:
        return f"has more than {LENGTH_MAX} characters"
    if len(set(password)) < _DIFFERENT_MIN:
        return f"repeats fewer than {_DIFFERENT_MIN} different characters"
    if _TRIED_FIRST.fullmatch(password):
        return "is among those that are tried first"
    known = {part for word in about for part in re.split(r"[^\w]+", word.casefold()) if len(part) >= _WORD_MIN}
    rest = password.casefold()
    for part in sorted(known, key=len, reverse=True):
        rest = rest.replace(part, "")
    if len(rest) < min(len(password), _REST_MIN):
        return "is little more than your name or address"
    return None
