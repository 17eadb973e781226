"""Roles: the higher one may what the lower one may, and nobody of an account may what is for the platform."""

import pytest
from msgspec import structs

from tollhouse.access.roles import MEMBERS, PLATFORM, lacks_factor, may
from tollhouse.core.person import Person


def person(role: str, account_id: str | None) -> Person:
    return Person(id="per_1", email="a@b.example", role=role, account_id=account_id, password_hash="", created_at_ms=0)  # type: ignore[arg-type]


def test_each_role_of_an_account_may_what_the_one_below_may() -> None:
    assert MEMBERS["viewer"] < MEMBERS["developer"] < MEMBERS["admin"] < MEMBERS["owner"]


def test_operator_may_what_all_others_of_the_platform_may() -> None:
    assert all(actions <= PLATFORM["operator"] for actions in PLATFORM.values())


@pytest.mark.parametrize(
    ("role", "account", "action", "allowed"),
    [
        ("viewer", "acc_1", "keys.list", True),
        ("viewer", "acc_1", "keys.create", False),
        ("developer", "acc_1", "keys.create", True),
        ("developer", "acc_1", "budgets.set", False),
        ("admin", "acc_1", "budgets.set", True),
        ("owner", "acc_1", "accounts.suspend", False),
        ("operator", None, "accounts.suspend", True),
        ("support", None, "accounts.suspend", False),
        ("viewer", None, "keys.create", False),
        ("owner", "acc_1", "no.such.action", False),
    ],
)
def test_person_may_what_their_role_says(role: str, account: str | None, action: str, allowed: bool) -> None:
    assert may(person(role, account), action) is allowed


def test_factor_is_lacking_where_it_is_required_and_not_set_up() -> None:
    asked = structs.replace(person("operator", None), factor="required")
    assert lacks_factor(asked)
    assert not lacks_factor(structs.replace(asked, totp="sealed"))
    assert not lacks_factor(person("owner", "acc_1"))
