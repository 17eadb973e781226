"""Which known browser and system a User-Agent names, for people to tell their sessions apart.

The header itself goes nowhere.
"""

from typing import Final

OTHER: Final = "other"

# Most name several for the sake of old sites: the first of these that is found is meant.
_BROWSERS: Final = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def browser_of(user_agent: bytes) -> str:
    """`Firefox, Linux`, or `other`."""
    text = user_agent[:400].decode("latin-1")
    browser = next((name for mark, name in _BROWSERS if mark in text), None)
    if browser is None:
        return OTHER
    system = next((name for mark, name in _SYSTEMS if mark in text), None)
    return browser if system is None else f"{browser}, {system}"
