"""The routes as a list that loads at once: `cli/routes.py`, which `make docs` writes and a test compares.

Loading the table itself takes longer than a command may take: it loads all that the routes do.
"""

from tollhouse.edge.admin.route import AdminRoute
from tollhouse.edge.admin.table import TABLE

_HEAD = '''"""How commands call the control API: a route's method, its path, and how it takes what is given.

As `json`, as `query`, or as a `file` beside its query. Written by `make docs` from the table of routes, which takes too
long to load here.
"""

from collections.abc import Mapping
from typing import Final

ROUTES: Final[Mapping[str, tuple[str, str, str]]] = {
'''


def render() -> str:
    """The source text of `cli/routes.py`."""
    rows = sorted((route.name, route.method, route.path, _gives(route)) for route in TABLE)
    lines = [f'    "{name}": ("{method}", "{path}", "{gives}"),\n' for name, method, path, gives in rows]
    return "".join((_HEAD, *lines, "}\n"))


def _gives(route: AdminRoute) -> str:
    if route.takes_file:
        return "file"
    return "query" if route.takes_query or route.method == "GET" else "json"
