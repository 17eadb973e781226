"""HTML out: the console, and the pages for everybody.

Lives here: `application` (a request becomes a page), `route` (how a page is declared), `visit` (who asks, for what),
`pages/` (one page a file, found by walking), `templates/`, `static/`.
Does not live here: JSON, rules, rows. A page asks the services, as the control API and the commands do.
Who calls: `app.py` builds the console; the edge's router passes it what lies below the paths of `BELOW`.
"""

from tollhouse.console.application import BELOW, Console
from tollhouse.console.context import ConsoleContext
from tollhouse.console.credential import visitor_of
from tollhouse.console.live import LiveCalls

__all__ = ["BELOW", "Console", "ConsoleContext", "LiveCalls", "visitor_of"]
