"""Which route a method and a path mean."""

from typing import NamedTuple

import pytest

from tollhouse.core.route_table import find, match


class Route(NamedTuple):
    method: str
    path: str


LIST, MAKE, SHOW, END = (
    Route("GET", "/keys"),
    Route("POST", "/keys"),
    Route("GET", "/keys/{id}"),
    Route("POST", "/keys/{id}/end"),
)
ROUTES = (LIST, MAKE, SHOW, END)


@pytest.mark.parametrize(
    ("method", "path", "found"),
    [
        ("GET", "/keys", (LIST, "")),
        ("HEAD", "/keys", (LIST, "")),
        ("POST", "/keys", (MAKE, "")),
        ("GET", "/keys/a%2Fb", (SHOW, "a%2Fb")),
        ("HEAD", "/keys/end", (SHOW, "end")),
        ("POST", "/keys/a/end", (END, "a")),
        ("PUT", "/keys", ["GET", "POST"]),
        ("HEAD", "/keys/a/end", ["POST"]),
        ("GET", "/keys/", []),
        ("GET", "/keys/a/b", []),
        ("GET", "/key", []),
        ("POST", "/keys//end", []),
    ],
)
def test_find(method: str, path: str, found: object) -> None:
    assert find(ROUTES, method, path) == found


def test_an_id_is_no_overlap_of_what_stands_before_and_behind_it() -> None:
    assert match("/a{id}a/", "/aa/") is None
    assert match("/a/{id}/a", "/a/a") is None
