"""Every key in memory: found by its whole digest, and as it is now."""

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from tollhouse.access import secrets
from tollhouse.access.directory import Directory
from tollhouse.core.account import Account, ApiKey, Identity, Project, Secret

NOW_MS = 1_790_000_000_000

ACCOUNT = Account(id="acc_1", name="Zollhaus", created_at_ms=NOW_MS)
PROJECT = Project(id="proj_1", account_id="acc_1", name="default", created_at_ms=NOW_MS)


def secret(text: str, **changed: object) -> Secret:
    made = Secret(digest=secrets.digest(text), prefix="sk-th-live-", last4=text[-4:], created_at_ms=NOW_MS)
    return structs.replace(made, **changed)


def key(number: int, *held: Secret, **changed: object) -> ApiKey:
    made = ApiKey(
        id=f"key_{number}",
        account_id="acc_1",
        project_id="proj_1",
        name=f"key {number}",
        created_at_ms=NOW_MS,
        secrets=held,
    )
    return structs.replace(made, **changed)


def found(directory: Directory, text: str) -> Identity:
    identity = directory.find(secrets.digest(text))
    assert identity is not None
    return identity


@settings(max_examples=300)
@given(
    texts=st.lists(st.text(alphabet="ab-", max_size=12), min_size=1, max_size=30, unique=True),
    asked=st.lists(st.text(alphabet="ab-", max_size=12), max_size=30),
)
def test_two_credentials_that_share_a_beginning_or_an_end_never_share_an_identity(
    texts: list[str], asked: list[str]
) -> None:
    """The alphabet is tiny, so that most texts are beginnings or ends of one another."""
    directory = Directory([ACCOUNT], [PROJECT], [key(at, secret(text)) for at, text in enumerate(texts)])
    for at, text in enumerate(texts):
        assert found(directory, text).key.id == f"key_{at}"
    for text in [*asked, *(text[:-1] for text in texts), *(text[1:] for text in texts), *(t + "a" for t in texts)]:
        identity = directory.find(secrets.digest(text))
        assert (identity is not None) == (text in texts)


def test_nothing_shorter_or_longer_than_the_digest_finds_anything() -> None:
    directory = Directory([ACCOUNT], [PROJECT], [key(1, secret("a"))])
    digest = secrets.digest("a")
    assert directory.find(digest) is not None
    for other in (digest[:-1], digest[:20], digest + b"\x00", b"", digest[::-1]):
        assert directory.find(other) is None


def test_a_change_of_key_project_or_account_acts_on_the_next_look() -> None:
    directory = Directory([ACCOUNT], [PROJECT], [key(1, secret("a"), secret("b")), key(2, secret("c"))])
    directory.put_key(key(1, secret("a"), secret("b"), state="frozen"))
    directory.put_project(structs.replace(PROJECT, state="archived"))
    directory.put_account(structs.replace(ACCOUNT, state="suspended"))
    for text, state in (("a", "frozen"), ("b", "frozen"), ("c", "active")):
        identity = found(directory, text)
        assert identity.key.state == state
        assert identity.project.state == "archived"
        assert identity.account.state == "suspended"
        assert identity.key is directory.keys[identity.key.id]


def test_a_revoked_key_and_an_old_secret_stay_findable() -> None:
    old, new = secret("old", valid_until_ms=NOW_MS - 1), secret("new")
    directory = Directory([ACCOUNT], [PROJECT], [key(1, new, old, state="revoked")])
    assert found(directory, "old").secret == old
    assert found(directory, "new").key.state == "revoked"


def test_a_secret_that_a_key_no_longer_has_is_not_found() -> None:
    directory = Directory([ACCOUNT], [PROJECT], [key(1, secret("a"), secret("b"))])
    directory.put_key(key(1, secret("b")))
    assert directory.find(secrets.digest("a")) is None
    assert found(directory, "b").key.secrets == (secret("b"),)


def test_a_key_that_moves_to_another_project_leaves_the_first() -> None:
    other = structs.replace(PROJECT, id="proj_2", name="other")
    directory = Directory([ACCOUNT], [PROJECT, other], [key(1, secret("a"))])
    directory.put_key(key(1, secret("a"), project_id="proj_2"))
    directory.put_project(structs.replace(PROJECT, state="archived"))
    assert found(directory, "a").project == other


def test_the_old_secrets_clock_starts_with_the_first_use_of_the_new_one() -> None:
    heard: list[ApiKey] = []
    new, old = secret("new"), secret("old", overlap_ms=60_000)
    directory = Directory([ACCOUNT], [PROJECT], [key(1, new, old)], on_first_use=heard.append)
    directory.used(found(directory, "old"), "curl", NOW_MS)
    assert heard == []
    assert found(directory, "old").secret == old
    directory.used(found(directory, "new"), "curl", NOW_MS + 5)
    ended = structs.replace(old, overlap_ms=None, valid_until_ms=NOW_MS + 60_005)
    assert [one.secrets for one in heard] == [(new, ended)]
    assert found(directory, "old").secret == ended
    assert found(directory, "new").key.secrets == (new, ended)
    directory.used(found(directory, "new"), "curl", NOW_MS + 9)
    assert len(heard) == 1


def test_a_clock_starts_also_where_nobody_listens() -> None:
    directory = Directory([ACCOUNT], [PROJECT], [key(1, secret("new"), secret("old", overlap_ms=60_000))])
    directory.used(found(directory, "new"), "curl", NOW_MS)
    assert found(directory, "old").secret.valid_until_ms == NOW_MS + 60_000


def test_an_identity_taken_before_a_change_starts_no_clock_of_what_stands_now() -> None:
    """A call in flight holds the identity it was admitted with; the key may have been rotated meanwhile."""
    directory = Directory([ACCOUNT], [PROJECT], [key(1, secret("first"))])
    in_flight = found(directory, "first")
    waiting = secret("first", overlap_ms=0)
    directory.put_key(key(1, secret("second"), waiting))
    directory.used(in_flight, "curl", NOW_MS)
    assert found(directory, "first").secret == waiting


def test_the_last_use_is_remembered() -> None:
    directory = Directory([ACCOUNT], [PROJECT], [key(1, secret("a"))])
    directory.used(found(directory, "a"), "curl 8.5", NOW_MS)
    assert directory.last_uses == {"key_1": (NOW_MS, "curl 8.5")}


def test_ids_and_names_are_accepted_alike() -> None:
    accounts = [
        ACCOUNT,
        structs.replace(ACCOUNT, id="acc_2", name="twice"),
        structs.replace(ACCOUNT, id="acc_3", name="twice"),
    ]
    projects = [PROJECT, structs.replace(PROJECT, id="proj_2", account_id="acc_2")]
    directory = Directory(accounts, projects, [key(1, secret("a")), key(2, secret("b"), name="acc_1")])

    def ids(found: list[Account] | list[Project] | list[ApiKey]) -> list[str]:
        return [one.id for one in found]

    assert ids(directory.accounts_called("acc_1")) == ["acc_1"]
    assert ids(directory.accounts_called("Zollhaus")) == ["acc_1"]
    assert ids(directory.accounts_called("twice")) == ["acc_2", "acc_3"]
    assert ids(directory.accounts_called("proj_1")) == []
    assert ids(directory.projects_called("default")) == ["proj_1", "proj_2"]
    assert ids(directory.projects_called("default", "acc_2")) == ["proj_2"]
    assert ids(directory.projects_called("proj_1", "acc_2")) == []
    assert ids(directory.keys_called("key 1", "acc_1")) == ["key_1"]
    assert ids(directory.keys_called("key 1", "acc_2")) == []
    directory.put_account(structs.replace(ACCOUNT, name="renamed"))
    assert ids(directory.accounts_called("Zollhaus")) == []
    assert ids(directory.accounts_called("renamed")) == ["acc_1"]


def test_a_name_means_what_is_alive_and_else_what_was() -> None:
    directory = Directory(
        [ACCOUNT],
        [PROJECT, structs.replace(PROJECT, id="proj_0", state="archived")],
        [key(1, secret("a"), name="ci", state="revoked"), key(2, secret("b"), name="ci")],
    )
    assert [one.id for one in directory.projects_called("default")] == ["proj_1"]
    assert [one.id for one in directory.keys_called("ci")] == ["key_2"]
    directory.put_key(key(2, secret("b"), name="ci", state="revoked"))
    assert [one.id for one in directory.keys_called("ci")] == ["key_1", "key_2"]


def test_of_two_of_one_name_the_other_keeps_it() -> None:
    accounts = [structs.replace(ACCOUNT, id=f"acc_{number}", name="twice") for number in (1, 2)]
    directory = Directory(accounts, [], [])
    directory.put_account(structs.replace(accounts[0], name="once"))
    assert [one.id for one in directory.accounts_called("twice")] == ["acc_2"]
    assert [one.id for one in directory.accounts_called("once")] == ["acc_1"]


def test_keys_of_an_account_and_of_a_project_are_all_that_were_made() -> None:
    made = [key(1, secret("a")), key(2, secret("b"), state="revoked")]
    directory = Directory([ACCOUNT], [PROJECT], made)
    assert sorted(one.id for one in directory.keys_of("acc_1")) == ["key_1", "key_2"]
    assert sorted(one.id for one in directory.keys_of("proj_1")) == ["key_1", "key_2"]
    assert directory.keys_of("acc_2") == []
