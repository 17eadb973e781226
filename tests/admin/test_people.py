"""People and invitations over the control API: an account's own, and no other's."""

import pytest

from tests.admin.harness import OPERATOR, AdminHarness
from tollhouse.services import people

PASSWORD = "plum ladder quiet seven"


def owner_of(admin: AdminHarness, account: str) -> str:
    made = people.create(
        admin.services, OPERATOR, email=f"owner@{account}.example", password=PASSWORD, role="owner", account=account
    )
    return admin.runner.run(made).id


def test_member_is_invited_listed_and_withdrawn(admin_harness: AdminHarness) -> None:
    made = admin_harness.bearer(
        "alpha-admin", "POST", "/api/v1/invitations", {"email": "A@b.example", "role": "viewer"}
    )
    assert made.status == 201
    assert made.body["secret"].startswith("/console/invitation?token=")
    assert (made.body["email"], made.body["account_id"]) == ("a@b.example", admin_harness.accounts["alpha"])
    (listed,) = admin_harness.bearer("alpha-admin", "GET", "/api/v1/invitations").body["data"]
    assert (listed["id"], listed["secret"]) == (made.body["id"], None)
    target = f"/api/v1/invitations/{made.body['id']}/withdraw"
    assert admin_harness.bearer("beta-admin", "POST", target, {}).status == 404
    assert admin_harness.bearer("alpha-admin", "POST", target, {}).status == 200
    assert admin_harness.bearer("alpha-admin", "GET", "/api/v1/invitations").body["data"] == []


def test_last_owner_stays_and_nothing_secret_is_told(admin_harness: AdminHarness) -> None:
    person_id = owner_of(admin_harness, "alpha")
    owner_of(admin_harness, "beta")
    (listed,) = admin_harness.bearer("alpha-admin", "GET", "/api/v1/people").body["data"]
    assert set(listed) == {
        *("object", "id", "email", "role", "account_id", "state", "has_factor", "signed_in_at", "created_at"),
    }
    for action, body in (("", {"role": "viewer"}), ("/disable", {}), ("/remove", {})):
        assert admin_harness.bearer("alpha-admin", "POST", f"/api/v1/people/{person_id}{action}", body).status == 409
    assert admin_harness.operator("POST", f"/api/v1/people/{person_id}/sign_out", {}).status == 200


@pytest.mark.parametrize("field", ["account_id", "state", "password_hash", "factor", "email"])
def test_fields_that_nobody_may_set_are_refused(admin_harness: AdminHarness, field: str) -> None:
    person_id = owner_of(admin_harness, "alpha")
    body = {"role": "owner", field: "x"}
    reply = admin_harness.bearer("alpha-admin", "POST", f"/api/v1/people/{person_id}", body)
    assert (reply.status, field in reply.message) == (400, True)


@pytest.mark.parametrize("body", [{"platform": True, "role": "operator"}, {"new_account": True}, {"account": "beta"}])
def test_account_invites_to_nothing_but_itself(admin_harness: AdminHarness, body: dict[str, object]) -> None:
    reply = admin_harness.bearer("alpha-admin", "POST", "/api/v1/invitations", {"email": "a@b.example", **body})
    assert reply.status in (403, 404)


def test_operator_invites_people_of_the_platform_and_new_accounts(admin_harness: AdminHarness) -> None:
    given = {"email": "a@b.example", "platform": True, "role": "finance"}
    assert admin_harness.operator("POST", "/api/v1/invitations", given).body["account_id"] is None
    closed = admin_harness.operator("POST", "/api/v1/invitations", {"email": "c@d.example", "new_account": True})
    assert (closed.status, "sign_up" in closed.message) == (409, True)
    admin_harness.services.sign_up = "invite"
    made = admin_harness.operator("POST", "/api/v1/invitations", {"email": "c@d.example", "new_account": True})
    assert made.body["secret"].startswith("/console/sign-up/finish?token=")
