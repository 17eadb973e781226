"""HTML out: the pages people read in a browser.

Lives here: `site` (which path is which page, security headers), `page` (the frame around each), `pages/` (one page a
file) and `static/`.
Does not live here: JSON, credentials, rules, rows. What a page shows is handed to it.
Who calls: `app.py` builds the site; the edge's router passes it what lies below /console and /support.
"""

from tollhouse.console.pages.home import Facts
from tollhouse.console.site import build

__all__ = ["Facts", "build"]
