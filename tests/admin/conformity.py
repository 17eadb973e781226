"""Whether an answer of the control API is one that its OpenAPI document describes."""

from functools import cache
from typing import Any

from openapi_schema_validator import OAS31Validator

from tollhouse.core import route_table
from tollhouse.edge.admin.openapi import document
from tollhouse.edge.admin.table import TABLE

DOCUMENT = document(TABLE, "0")


@cache
def _validator(path: str, method: str, status: str) -> Any:
    """Of the JSON that a route answers with this status."""
    answers = DOCUMENT["paths"][path][method]["responses"]
    assert status in answers or status >= "400", f"{method} {path} does not say that it may answer {status}"
    schema = answers.get(status, answers["default"])["content"]["application/json"]["schema"]
    return OAS31Validator({**schema, "components": DOCUMENT["components"]})


def require_described(method: str, path: str, status: int, body: Any) -> None:
    """Fails where the document says otherwise; a path that leads nowhere is not in it."""
    found = route_table.find(TABLE, method, path)
    if isinstance(found, tuple) and isinstance(body, dict):
        errors = list(_validator(found[0].path, found[0].method.lower(), str(status)).iter_errors(body))
        assert not errors, f"{found[0].name} {status}: {errors[0].json_path}: {errors[0].message}"
