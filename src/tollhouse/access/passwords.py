"""What a password of the console must be like. Hashing and comparing happen elsewhere, in a thread.

The rule follows NIST SP 800-63B: length counts, kinds of characters do not; what everybody tries first is refused.
"""

import re
from typing import Final

from tollhouse.access.common_passwords import COMMON
from tollhouse.core.failure import BadRequest
from tollhouse.core.phrase import Phrase

LENGTH_MIN: Final = 12
LENGTH_MAX: Final = 256  # hashing takes time for every byte
_DIFFERENT_MIN: Final = 5
_WORD_MIN: Final = 4  # shorter parts of a name occur in any text
_REST_MIN: Final = 8  # what must be left without the parts of the name

_COMMON_MAX: Final = 3  # different common words and nothing else: guessed with a list of such words
_DIGIT_FOR: Final = {"o": "[o0]", "l": "[l1]", "i": "[i1!]", "e": "[e3]", "a": "[a4@]", "s": "[s5$]", "t": "[t7]"}

_COMMON: Final = re.compile(  # the longest first: what is left of a password is what none of them covers
    "|".join("".join(_DIGIT_FOR.get(sign, sign) for sign in word) for word in sorted(COMMON, key=len, reverse=True))
)
_LETTER: Final = re.compile(r"[^\W\d_]")


def require_good(password: str, *about: str) -> None:
    """Refuse a password that is short, endless, uniform, tried first, or made of what is known about the person.

    `about`: mail address, name, name of the platform. Raises BadRequest whose message never repeats the password.
    """
    reason = _reason(password, about)
    if reason is not None:
        raise BadRequest(
            Phrase("The password %(reason)s. Four or five unrelated words make a good one.", reason=reason),
            param="password",
        )


def _reason(password: str, about: tuple[str, ...]) -> str | None:
    if len(password) < LENGTH_MIN:
        return Phrase("has %(count)s characters and needs at least %(least)s", count=len(password), least=LENGTH_MIN)
    if len(password) > LENGTH_MAX:
        return Phrase("has more than %(most)s characters", most=LENGTH_MAX)
    if len(set(password)) < _DIFFERENT_MIN:
        return Phrase("repeats fewer than %(least)s different characters", least=_DIFFERENT_MIN)
    if _is_tried_first(password.casefold()):
        return Phrase("is among those that are tried first")
    known = {part for word in about for part in re.split(r"[^\w]+", word.casefold()) if len(part) >= _WORD_MIN}
    rest = password.casefold()
    for part in sorted(known, key=len, reverse=True):
        rest = rest.replace(part, "")
    if len(rest) < min(len(password), _REST_MIN):
        return Phrase("is little more than your name or address")
    return None


def _is_tried_first(lower: str) -> bool:
    """Nothing but a few common words, digits and signs, some letters written as digits."""
    left = _COMMON.sub("", lower)
    return not _LETTER.search(left) and len(set(_COMMON.findall(lower))) <= _COMMON_MAX
