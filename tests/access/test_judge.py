"""The verdict on a key: what refuses it, in which order, and the same for every place a key can come from."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tollhouse.access.judge import ACCOUNT, BILL, CALL, LOOK, OPERATOR, SELF, Requirement, present_and_judge, sender
from tollhouse.access.secrets import digest, last4, mint, prefix_of
from tollhouse.core.account import Account, ApiKey, Identity, KeyMode, Project, Secret
from tollhouse.core.failure import (
    AccountSuspended,
    AddressNotAllowed,
    Failure,
    KeyFrozen,
    KeyRefused,
    ScopeMissing,
)

NOW_MS = 1_790_000_000_000
HERE = "192.0.2.7"
TEXT = mint("live", bytes(range(32)))

Change = Callable[[Identity], Identity]


def identity(text: str = TEXT, mode: KeyMode = "live") -> Identity:
    secret = Secret(digest=digest(text), prefix=prefix_of(text), last4=last4(text), created_at_ms=0)
    account = Account(id="acc_a", name="Toll", created_at_ms=0)
    project = Project(id="proj_p", account_id="acc_a", name="default", created_at_ms=0)
    key = ApiKey(
        id="key_k",
        account_id="acc_a",
        project_id="proj_p",
        name="ci",
        mode=mode,
        created_at_ms=0,
        rotated_at_ms=NOW_MS - 90_000,
        secrets=(secret,),
    )
    return Identity(key=key, secret=secret, account=account, project=project)


def with_key(**changes: object) -> Change:
    return lambda known: structs.replace(known, key=structs.replace(known.key, **changes))


def with_secret(**changes: object) -> Change:
    return lambda known: structs.replace(known, secret=structs.replace(known.secret, **changes))


def suspended(known: Identity) -> Identity:
    return structs.replace(known, account=structs.replace(known.account, state="suspended"))


def archived(known: Identity) -> Identity:
    return structs.replace(known, project=structs.replace(known.project, state="archived"))


class Restriction(NamedTuple):
    """One reason to refuse a key."""

    change: Change
    failure: type[Failure]
    said: str
    needs: Requirement = CALL


RESTRICTIONS = {
    "revoked": Restriction(with_key(state="revoked"), KeyRefused, "revoked"),
    "rotated": Restriction(with_secret(valid_until_ms=NOW_MS - 1), KeyRefused, "rotated on 2026-09-21 14:11:50 UTC"),
    "expired": Restriction(with_key(expires_at_ms=NOW_MS - 1), KeyRefused, "expired on 2026-09-21 14:13:19 UTC"),
    "frozen": Restriction(with_key(state="frozen"), KeyFrozen, "frozen"),
    "suspended": Restriction(suspended, AccountSuspended, "suspended"),
    "archived": Restriction(archived, KeyFrozen, "archived"),
    "network": Restriction(with_key(networks=("10.0.0.0/8",)), AddressNotAllowed, HERE),
    "scope": Restriction(with_key(scopes=("usage",)), ScopeMissing, "`inference`"),
    "no scope": Restriction(with_key(scopes=()), ScopeMissing, "no scope"),
    "usage": Restriction(with_key(scopes=("inference",)), ScopeMissing, "`usage`", BILL),
    "admin key": Restriction(with_key(mode="admin"), ScopeMissing, "live or test key"),
    "no admin": Restriction(with_key(), ScopeMissing, "an admin key", ACCOUNT),
    "operator": Restriction(with_key(), ScopeMissing, "control socket", OPERATOR),
}

KEY_PLACES: dict[str, tuple[list[tuple[bytes, bytes]], bytes]] = {
    "authorization bearer": ([(b"authorization", b"Bearer " + TEXT.encode())], b""),
    "authorization": ([(b"authorization", TEXT.encode())], b""),
    "x-api-key": ([(b"x-api-key", TEXT.encode())], b""),
    "api-key": ([(b"api-key", TEXT.encode())], b""),
    "x-goog-api-key": ([(b"x-goog-api-key", TEXT.encode())], b""),
    "query": ([], b"alt=sse&key=" + TEXT.encode()),
}


def ask(place: str, known: Identity | None, needs: Requirement = CALL, now_ms: int = NOW_MS) -> Identity:
    headers, query = KEY_PLACES[place]
    return present_and_judge(
        [(b"host", b"toll.example"), *headers],
        query,
        key_in_query=True,
        find=lambda seen: known if known is not None and seen == known.secret.digest else None,
        now_ms=now_ms,
        address=HERE,
        needs=needs,
    )


@pytest.mark.parametrize("place", KEY_PLACES)
def test_a_good_key_is_good_from_every_place(place: str) -> None:
    known = identity()
    assert ask(place, known) is known
    assert ask(place, known, BILL) is known
    assert ask(place, known, LOOK) is known


@pytest.mark.parametrize("restriction", RESTRICTIONS)
@pytest.mark.parametrize("place", KEY_PLACES)
def test_every_restriction_holds_at_every_place(place: str, restriction: str) -> None:
    change, failure, said, needs = RESTRICTIONS[restriction]
    with pytest.raises(failure) as caught:
        ask(place, change(identity()), needs)
    assert type(caught.value) is failure
    assert said in caught.value.message
    assert TEXT not in caught.value.message
    assert TEXT[-4:] not in caught.value.message


@pytest.mark.parametrize("place", KEY_PLACES)
def test_an_unknown_key_is_refused_and_its_place_is_named(place: str) -> None:
    with pytest.raises(KeyRefused, match="unknown here") as caught:
        ask(place, None)
    assert TEXT not in caught.value.message
    named = "?key=" if place == "query" else place.split(" ")[0]
    assert f"`{named}`" in caught.value.message


ORDER = ["revoked", "rotated", "expired", "frozen", "suspended", "archived", "network", "scope"]


@given(st.sets(st.sampled_from(ORDER), min_size=1))
def test_of_several_reasons_the_first_in_the_declared_order_is_said(names: set[str]) -> None:
    """Freezing and revoking share a field: a key is never both."""
    if "revoked" in names:
        names -= {"frozen"}
    known = identity()
    for name in names:
        known = RESTRICTIONS[name].change(known)
    first = RESTRICTIONS[min(names, key=ORDER.index)]
    with pytest.raises(first.failure) as caught:
        ask("x-api-key", known)
    assert first.said in caught.value.message


def test_the_old_secret_answers_until_the_instant_and_not_after_it() -> None:
    known = with_secret(valid_until_ms=NOW_MS)(identity())
    assert ask("authorization", known, now_ms=NOW_MS - 1) is known
    with pytest.raises(KeyRefused, match="rotated on 2026-09-21 14:11:50 UTC"):
        ask("authorization", known, now_ms=NOW_MS)


def test_an_overlap_that_waits_for_the_first_use_of_the_new_secret_has_not_begun() -> None:
    known = with_secret(overlap_ms=60_000)(identity())
    assert ask("authorization", known, now_ms=NOW_MS + 10**12) is known


def test_a_key_expires_at_its_instant() -> None:
    known = with_key(expires_at_ms=NOW_MS)(identity())
    assert ask("authorization", known, now_ms=NOW_MS - 1) is known
    with pytest.raises(KeyRefused, match="expired on 2026-09-21 14:13:20 UTC"):
        ask("authorization", known, now_ms=NOW_MS)


def test_an_admin_key_administrates_and_nothing_else() -> None:
    known = with_key(mode="admin")(identity())
    assert ask("authorization", known, ACCOUNT) is known
    assert ask("authorization", known, LOOK) is known
    for needs in (CALL, BILL, OPERATOR):
        with pytest.raises(ScopeMissing):
            ask("authorization", known, needs)


@pytest.mark.parametrize("needs", [BILL, SELF])
@pytest.mark.parametrize("name", ["frozen", "suspended", "archived"])
def test_a_bill_is_read_by_who_was_stopped(name: str, needs: Requirement) -> None:
    known = RESTRICTIONS[name].change(identity())
    assert ask("x-api-key", known, needs) is known


def test_no_bill_is_read_from_elsewhere_nor_without_its_scope() -> None:
    for needs in (BILL, SELF):
        for change, refusal in (
            (with_key(networks=("10.0.0.0/8",)), AddressNotAllowed),
            (with_key(scopes=("inference",)), ScopeMissing),
            (with_key(scopes=()), ScopeMissing),
        ):
            for state in ("active", "frozen"):
                with pytest.raises(refusal):
                    ask("authorization", with_key(state=state)(change(identity())), needs)


def test_an_admin_key_reads_about_itself_and_no_bill_of_another_mode() -> None:
    known = identity(mode="admin")
    assert ask("authorization", known, SELF) is known
    with pytest.raises(ScopeMissing):
        ask("authorization", known, BILL)


@pytest.mark.parametrize("needs", [CALL, BILL, SELF, LOOK, ACCOUNT, OPERATOR])
@pytest.mark.parametrize("name", ["revoked", "rotated", "expired"])
def test_nothing_answers_keys_that_are_no_more(name: str, needs: Requirement) -> None:
    with pytest.raises(KeyRefused):
        ask("authorization", RESTRICTIONS[name].change(identity()), needs)


keys = st.builds(mint, st.sampled_from(["live", "test"]), st.binary(min_size=32, max_size=32))


@given(keys, st.integers(8, 55), st.data())
def test_credentials_that_share_a_prefix_or_suffix_never_share_an_identity(
    text: str, shared: int, data: st.DataObject
) -> None:
    tail = data.draw(st.text(alphabet="abcXYZ019", min_size=1, max_size=40))
    known = identity(text)
    for other in (text[:shared] + tail, tail + text[shared:], text + tail, text[:-1], text.swapcase()):
        if other == text:
            continue
        with pytest.raises(KeyRefused) as caught:
            present_and_judge(
                [(b"authorization", b"Bearer " + other.encode())],
                b"",
                key_in_query=False,
                find=lambda seen: known if seen == known.secret.digest else None,
                now_ms=NOW_MS,
                address=HERE,
                needs=CALL,
            )
        assert other not in caught.value.message


def test_who_holds_a_secret_that_the_operator_ended_is_sent_to_the_page_of_the_key() -> None:
    known = with_secret(valid_until_ms=NOW_MS - 1)(identity())
    newest = structs.replace(known.key, secrets=(known.secret,), rotated_at_ms=None)
    with pytest.raises(KeyRefused, match="ended this secret"):
        ask("x-api-key", structs.replace(known, key=newest))


@pytest.mark.parametrize("place", KEY_PLACES)
def test_sender_is_known_by_a_key_that_may_do_nothing(place: str) -> None:
    known = with_key(state="revoked")(identity())
    headers, query = KEY_PLACES[place]
    found = sender(headers, query, key_in_query=True, find=lambda seen: known if seen == known.secret.digest else None)
    assert found is known


@pytest.mark.parametrize("headers", [[], [(b"authorization", b"Bearer ")], [(b"x-api-key", b"\xff")]])
def test_sender_is_nobody_where_no_key_can_be_read(headers: list[tuple[bytes, bytes]]) -> None:
    assert sender(headers, b"", key_in_query=True, find=lambda seen: None) is None
