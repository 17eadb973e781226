"""G6: every date, number, cursor, limit and id of the control API has bounds: beyond them is a 400, never a 500.

The fields come from the table of routes: a new field is tried by standing in one.
"""

from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from tests.admin.harness import TABLE, AdminHarness
from tollhouse.edge.admin.request_body import BODY_BYTES_MAX, VALUES_MAX
from tollhouse.edge.admin.route import AdminRoute, NoParameters

ODD: tuple[object, ...] = (
    *("9999-12", "9999-12-31", "9999-12-31T23:59:59.999999-14:00", "0000-01-01", "0001-01-01", "1969-12-31"),
    *("99999-01-01", "2026-13", "2026-02-30", "-1", "0", "1e400", "NaN", "Infinity", "-0", "1" * 400, str(2**63)),
    *(str(2**64), "\u0661\u0662", "\uff11", "999999w", "0d", "", " ", "\u202e", "*", "a*b", "../..", "key_" + "a" * 26),
    *(
        "true",
        "null",
        "[]",
        "{}",
        "=1",
        "%00",
        "'; DROP TABLE keys; --",
        "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTphYg==",
        "Og==",
    ),
    *("MTo=", "LTE6YQ==", "unlimited", "UTC", "../../etc/passwd", "x" * 3000),
)
TYPED: tuple[object, ...] = (
    *(0, -1, 1.5, 1e308, 2**63 - 1, 2**53, True, None, [], {}, [[]], [{}], {"a": {}}, ["x"] * 300, [1], [None]),
    {"x" * 300: "y" * 300},
    {str(number): "v" for number in range(50)},
)

JSON = [(b"content-type", b"application/json")]
GETS = [pytest.param(one, id=one.name) for one in TABLE if one.method == "GET" and one.takes is not NoParameters]
POSTS = [pytest.param(one, id=one.name) for one in TABLE if one.method != "GET" and not one.takes_file]


def fields(route: AdminRoute) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(route.takes)]


@pytest.mark.parametrize("route", GETS)
def test_every_field_of_every_query(admin_harness: AdminHarness, route: AdminRoute) -> None:
    path = route.path.replace("{id}", "x")
    for field in fields(route):
        for value in ODD:
            query = f"{path}?{field}={quote(str(value), safe='')}"
            for reply in (admin_harness.operator("GET", query), admin_harness.bearer("alpha-admin", "GET", query)):
                assert reply.status in (200, 400, 403, 404, 429, 503), (query, reply.body)
                assert reply.status != 503 or route.name == "requests.tail" or "server" in reply.message


@pytest.mark.parametrize("route", POSTS)
def test_every_field_of_every_body(admin_harness: AdminHarness, route: AdminRoute) -> None:
    path = route.path.replace("{id}", "alpha-live")
    base: dict[str, Any] = {"name": "n", "key": "alpha-live", "amount_usd": "1", "window": "day", "body": {}}
    base = {name: value for name, value in base.items() if name in fields(route)}
    for field in fields(route):
        for value in (*ODD, *TYPED):
            reply = admin_harness.operator("POST", path, {**base, field: value})
            assert reply.status in (200, 201, 400, 403, 404, 409, 429, 503), (route.name, field, value, reply.body)


@pytest.mark.parametrize("month", ["9999-12", "0000-01", "1969-12", "2026-00", "\u0662026-01", "20260-1", ""])
def test_a_month_beyond_the_calendar_is_a_400_that_names_it(admin_harness: AdminHarness, month: str) -> None:
    reply = admin_harness.bearer("alpha-admin", "GET", f"/api/v1/ledger/statement?month={quote(month)}")
    assert (reply.status, reply.body["error"]["param"]) == (400, "month")


def test_the_last_month_there_is(admin_harness: AdminHarness) -> None:
    assert admin_harness.bearer("alpha-admin", "GET", "/api/v1/ledger/statement?month=9998-12").status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"name":' + b"[" * 100_000,
        b'{"name":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b'{"name":"' + b"x" * (BODY_BYTES_MAX - 20) + b'"}',
        b'{"name":"\\ud800"}',
        b'{"name":"\xff"}',
        b'{"name":1e400}',
        b'{"name":NaN}',
        b'{"name":' + b"9" * 1000 + b"}",
        b'{"tags":{' + b",".join(b'"%d":"a"' % number for number in range(VALUES_MAX + 2)) + b"}}",
        b'{"models":[' + b"[]," * VALUES_MAX * 2 + b"[]]}",
        b'{"name":"a","name":"b\\u0000"}',
        b"null",
        b"\x00",
    ],
)
def test_no_body_is_more_than_a_400(admin_harness: AdminHarness, body: bytes) -> None:
    content = [
        (b"content-type", b"application/json"),
        (b"authorization", f"Bearer {admin_harness.secrets['alpha-admin']}".encode()),
    ]
    reply = admin_harness.ask("POST", "/api/v1/keys", body, headers=content)
    assert reply.status == 400


def test_a_body_of_more_than_a_mebibyte_is_a_413(admin_harness: AdminHarness) -> None:
    content = [
        (b"content-type", b"application/json"),
        (b"authorization", f"Bearer {admin_harness.secrets['alpha-admin']}".encode()),
    ]
    body = b'{"name":"' + b"x" * BODY_BYTES_MAX + b'"}'
    assert admin_harness.ask("POST", "/api/v1/keys", body, headers=content).status == 413
