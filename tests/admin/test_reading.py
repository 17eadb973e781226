"""Bodies as hostile clients send them, and the OpenAPI document."""

import json
from typing import Any

import pytest
from msgspec import structs
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from tests.admin.harness import TABLE, AdminHarness
from tollhouse.core import ticket
from tollhouse.core.failure import BadRequest
from tollhouse.edge.admin import moments
from tollhouse.edge.admin.openapi import document
from tollhouse.edge.admin.request_body import TEXT_MAX, from_body
from tollhouse.edge.admin.route import AdminRoute, NoParameters


def post(admin_harness: AdminHarness, body: bytes, content_type: bytes = b"application/json") -> Any:
    headers = [
        (b"authorization", f"Bearer {admin_harness.secrets['alpha-admin']}".encode()),
        (b"content-type", content_type),
    ]
    return admin_harness.ask("POST", "/api/v1/projects", body, headers)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"name"',
        b'{"name": "a", "name": 1}',
        b'{"name": "\xff"}',
        b'{"name": "\\ud800"}',
        b'{"name":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"name": 1e400}',
        b'{"name": NaN}',
        b'{"name": null}',
        b"\x00",
    ],
)
def test_a_broken_body_is_a_400_that_says_what_is_wrong(admin_harness: AdminHarness, body: bytes) -> None:
    assert post(admin_harness, body).status == 400


@pytest.mark.parametrize("kind", [b"text/plain", b"application/x-www-form-urlencoded", b"multipart/form-data", b""])
def test_what_another_sites_form_could_send_is_refused(admin_harness: AdminHarness, kind: bytes) -> None:
    reply = post(admin_harness, b'{"name": "x"}', kind)
    assert (reply.status, reply.body["error"]["param"]) == (400, "content-type")


def test_a_charset_and_a_byte_order_mark_are_accepted(admin_harness: AdminHarness) -> None:
    assert post(admin_harness, b'\xef\xbb\xbf{"name": "x"}', b"Application/JSON; charset=utf-8").status == 201


def test_a_body_larger_than_the_bound_is_413(admin_harness: AdminHarness) -> None:
    assert post(admin_harness, b" " * (8 * 1024 * 1024 + 1)).status == 413


def test_a_key_is_not_read_from_the_query(admin_harness: AdminHarness) -> None:
    reply = admin_harness.ask("GET", f"/api/v1/keys?key={admin_harness.secrets['alpha-admin']}")
    assert reply.status == 401
    assert admin_harness.secrets["alpha-admin"] not in reply.message


def test_a_secret_given_as_a_name_is_not_repeated(admin_harness: AdminHarness) -> None:
    secret = admin_harness.secrets["beta-live"]
    reply = admin_harness.operator("GET", f"/api/v1/keys/{secret}")
    assert reply.status == 404
    assert secret not in reply.message


def test_head_answers_like_get_without_a_body(admin_harness: AdminHarness) -> None:
    headers = [(b"authorization", f"Bearer {admin_harness.secrets['alpha-admin']}".encode())]
    reply = admin_harness.ask("HEAD", "/api/v1/keys", headers=headers)
    assert (reply.status, reply.body) == (200, None)
    assert int(reply.headers["content-length"]) > 100


def test_the_openapi_document_is_valid_by_the_specification() -> None:
    validate(json.loads(json.dumps(document(TABLE, "0"))), cls=OpenAPIV31SpecValidator)


def test_null_counts_as_absent_in_bodies_and_the_document_says_so() -> None:
    schemas = document(TABLE, "0")["components"]["schemas"]
    for route in TABLE:
        if route.method == "POST" and not route.takes_file and not route.takes_query:
            schema = schemas.get(route.takes.__name__, {"properties": {}})
            for name, field in schema["properties"].items():
                may_be_null = {"type": "null"} in field.get("anyOf", ())
                assert may_be_null == (name not in schema.get("required", ())), (route.name, name)


def test_the_openapi_document_says_how_strictly_it_is_read(admin_harness: AdminHarness) -> None:
    document = admin_harness.ask("GET", "/api/openapi.json").body
    assert "text/csv" in document["paths"]["/api/v1/usage"]["get"]["responses"]["200"]["content"]
    schemas = document["components"]["schemas"]
    for route in TABLE:
        answer = document["paths"][route.path][route.method.lower()]["responses"][str(route.status)]["content"]
        assert ("text/csv" in answer, "text/html" in answer) == (route.as_csv is not None, route.as_page is not None)
        if route.takes is not NoParameters:
            assert schemas[route.takes.__name__]["additionalProperties"] is False
    new_key = schemas["NewKey"]["properties"]
    assert (new_key["name"]["minLength"], new_key["name"]["maxLength"]) == (1, 200)
    for word in ("unknown field", "1048576 bytes", "200 characters", "200 entries", "does not print"):
        assert word in document["info"]["description"]
    for body, param in (({"name": "k" * 201}, "name"), ({"name": "k", "nmae": "k"}, "nmae")):
        told = post(admin_harness, json.dumps(body).encode())
        assert (told.status, told.body["error"]["param"]) == (400, param)


SCHEMAS = document(TABLE, "0")["components"]["schemas"]
TAKEN = [
    (route, name, field)
    for route in TABLE
    if route.takes is not NoParameters
    for name, field in SCHEMAS[route.takes.__name__]["properties"].items()
]


IN_LINES = {
    "tickets.create text": ticket.TEXT_MAX,
    "tickets.create content": ticket.CONTENT_MAX,
    "tickets.reply text": ticket.TEXT_MAX,
}
"""Texts in lines of their own, which may be longer than any other."""


def texts_of(field: dict[str, Any]) -> list[dict[str, Any]]:
    """The schemas of the texts that a field may hold."""
    parts = [
        part for one in field.get("anyOf", [field]) for part in (one, one.get("items"), one.get("additionalProperties"))
    ]
    return [part for part in parts if isinstance(part, dict) and part.get("type") == "string" and "enum" not in part]


@pytest.mark.parametrize(("route", "name", "field"), TAKEN, ids=lambda one: getattr(one, "name", str(one)[:20]))
def test_every_text_has_a_maximum_that_is_told_and_kept(route: AdminRoute, name: str, field: dict[str, Any]) -> None:
    most = IN_LINES.get(f"{route.name} {name}", TEXT_MAX)
    assert all(text["maxLength"] <= most for text in texts_of(field))
    if not texts_of(field):
        return
    long, kinds = "x" * (most + 1), {one.get("type") for one in field.get("anyOf", [field])}
    forms: list[Any] = [long] if "string" in kinds else []
    forms += [[long]] if "array" in kinds else []
    forms += [{"a": long}, {long: "a"}] if "object" in kinds else []
    given = {each.name: "1" for each in structs.fields(route.takes) if each.required}
    for form in forms:
        with pytest.raises(BadRequest, match=f"{name} has more than {most} characters"):
            from_body(json.dumps({**given, name: form}).encode(), route.takes)


def test_the_openapi_document_holds_every_route_with_its_schema(admin_harness: AdminHarness) -> None:
    document = admin_harness.ask("GET", "/api/openapi.json").body
    assert document["openapi"] == "3.1.0"
    operations = {
        operation["operationId"]: operation for path in document["paths"].values() for operation in path.values()
    }
    assert set(operations) == {route.name for route in TABLE}
    schemas = document["components"]["schemas"]
    assert schemas["NewKey"]["required"] == ["name"]
    assert schemas["Rotation"]["properties"]["from"]["anyOf"][0]["enum"] == ["first-use", "now"]
    for reference in _references(document):
        assert reference.removeprefix("#/components/schemas/") in schemas
    for route in TABLE:
        assert ("security" in operations[route.name]) == ("public" in route.who)
        assert ("parameters" in operations[route.name]) or "{id}" not in route.path


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for value in node.values() for found in _references(value)]
    if isinstance(node, list):
        return [found for value in node for found in _references(value)]
    return []


def test_times_are_written_in_utc() -> None:
    assert moments.written(0) == "1970-01-01T00:00:00Z"
    assert moments.written(1_800_000_000_123) == "2027-01-15T08:00:00.123Z"
    assert moments.written(None) is None
    assert moments.moment_ms("1970-01-02", "x", 0) == 86_400_000
    assert moments.moment_ms("1h", "x", 5) == 3_600_005


@pytest.mark.parametrize("text", ["", "1970-01-01T00:00", "99999-01-01", "٣d", "1 d", "now"])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        moments.moment_ms(text, "x", 0)
