"""Pictures of pages, as README and docs show them.

`make pictures` writes them to docs/images; in `make test` they are made and thrown away, so that what they show still
works.
"""

import os
from pathlib import Path
from typing import Final

from tests.browser.browser_user import BrowserUser

FOLDER_VARIABLE: Final = "TOLLHOUSE_PICTURES"
_PNG: Final = b"\x89PNG\r\n"
_BYTES_MAX: Final = 250_000


class Album:
    def __init__(self, thrown_away: Path) -> None:
        self.folder = Path(os.environ.get(FOLDER_VARIABLE) or thrown_away)

    def take(self, person: BrowserUser, name: str, *, whole: bool = False) -> None:
        """Of what the window shows; whole: of the page from top to bottom."""
        path = self.folder / f"{name}.png"
        person.page.wait_for_load_state("networkidle")
        person.page.screenshot(path=path, full_page=whole, animations="disabled", caret="hide")
        content = path.read_bytes()
        assert content.startswith(_PNG)
        assert len(content) < _BYTES_MAX, f"{name}: too large to show on a page"
