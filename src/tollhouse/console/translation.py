"""The words of pages in a language: gettext's catalogues, read when a language is first asked for."""

from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files


@cache
def translations(language: str) -> NullTranslations:
    """Words as they are written in templates and code are English, and need no catalogue."""
    catalogue = files("tollhouse.console").joinpath(f"locales/{language}.mo")
    if not catalogue.is_file():
        return NullTranslations()
    with catalogue.open("rb") as file:
        return GNUTranslations(file)
