"""A template becomes a page, in a thread: one takes some milliseconds, which calls should not wait for."""

import asyncio
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined

from tollhouse.console.context import ConsoleContext
from tollhouse.console.figures import count, exact_usd, plain_usd, usd
from tollhouse.console.language import NAMES
from tollhouse.console.menu import menu
from tollhouse.console.route import Shown
from tollhouse.console.static import StaticFiles
from tollhouse.console.visit import Visit
from tollhouse.core.notice import shown
from tollhouse.core.phrase import Phrase
from tollhouse.services.translation import Said, said, translations


class Renderer:
    def __init__(self, context: ConsoleContext) -> None:
        self._context = context

    async def page(self, visit: Visit, shown: Shown) -> bytes:
        return await asyncio.to_thread(self._page, visit, shown)

    def _page(self, visit: Visit, shown: Shown) -> bytes:
        settings = self._context.settings
        values: dict[str, Any] = {
            "platform": settings.platform.name,
            "visit": visit,
            "person": None if visit.visitor is None else visit.visitor.person,
            "menu": menu(visit),
            "languages": {name: NAMES[name] for name in settings.platform.languages if name in NAMES},
            "local": partial(_local, ZoneInfo(visit.zone)),
            "local_in": _local_in,
            "ago": partial(_ago, said(visit.language), visit.now_ms),
        }
        return _environment(visit.language).get_template(shown.template).render(values | shown.values).encode()


@cache
def _environment(language: str) -> Environment:
    """Templates are read and compiled once in a process."""
    environment = Environment(
        loader=PackageLoader("tollhouse.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    words = translations(language)
    environment.install_gettext_translations(words, newstyle=True)  # type: ignore[attr-defined]
    environment.filters |= {
        "usd": usd, "exact_usd": exact_usd, "plain_usd": plain_usd, "count": count, "iso": _iso, "utc": _utc,
        "shown_address": shown,
    }  # fmt: skip
    # `gettext` takes its text for HTML, so only words that stand in a template may come to it; `said` takes any.
    environment.globals |= {"static": StaticFiles().address, "language": language, "said": said(language)}
    return environment


def _local(zone: ZoneInfo, time_ms: int, form: str = "%Y-%m-%d %H:%M") -> str:
    return _moment(time_ms).astimezone(zone).strftime(form)


def _local_in(zone: str, time_ms: int, form: str) -> str:
    return _local(ZoneInfo(zone), time_ms, form)


def _ago(said: Said, now_ms: int, time_ms: int) -> str:
    """`5 min ago`, in the language of the page."""
    minutes = max(0, now_ms - time_ms) // 60_000
    if minutes < 1:
        return said(Phrase("just now"))
    if minutes < 120:
        return said(Phrase("%(number)s min ago", number=minutes))
    if minutes < 2_880:
        return said(Phrase("%(number)s h ago", number=minutes // 60))
    return said(Phrase("%(number)s days ago", number=minutes // 1_440))


def _iso(time_ms: int) -> str:
    return _moment(time_ms).isoformat(timespec="seconds")


def _utc(time_ms: int) -> str:
    return _moment(time_ms).strftime("%Y-%m-%d %H:%M:%S UTC")


def _moment(time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms / 1_000, UTC)
