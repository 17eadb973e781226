"""Sessions of the console in memory: found by their secret, over by time, several a person."""

from tollhouse.access.sessions import (
    IDLE_MS,
    LIFETIME_MS,
    SECRET_BYTES,
    SessionDirectory,
    csrf_token,
    digest_of,
    is_csrf_token,
    is_over,
    secret_of,
)
from tollhouse.core.session import Session

NOW_MS = 1_800_000_000_000


def session(name: str, person: str = "per_1", seen_ms: int = NOW_MS) -> Session:
    return Session(
        id=f"ses_{name}",
        person_id=person,
        digest=digest_of(name),
        created_at_ms=NOW_MS,
        seen_at_ms=seen_ms,
        address="192.0.2.1",
        browser="Firefox, Linux",
    )


def test_secret_says_all_its_bytes_and_the_token_of_forms_does_not_tell_it() -> None:
    secret = secret_of(bytes(range(SECRET_BYTES)))
    assert len(secret) == 43
    assert secret != secret_of(bytes(SECRET_BYTES))
    assert secret not in csrf_token(secret)
    assert is_csrf_token(secret, csrf_token(secret))
    assert not is_csrf_token(secret, csrf_token("another"))
    assert not is_csrf_token(secret, "é")


def test_session_is_over_when_nobody_used_it_and_at_last() -> None:
    assert not is_over(session("a"), NOW_MS + IDLE_MS - 1)
    assert is_over(session("a"), NOW_MS + IDLE_MS)
    used = session("a", seen_ms=NOW_MS + LIFETIME_MS - 1)
    assert not is_over(used, NOW_MS + LIFETIME_MS - 1)
    assert is_over(used, NOW_MS + LIFETIME_MS)


def test_session_is_found_by_its_secret_until_it_ends() -> None:
    one, other = session("a"), session("b", "per_2")
    directory = SessionDirectory([one, other])
    assert directory.find("a", NOW_MS) == one
    assert directory.find("a", NOW_MS + IDLE_MS) is None
    assert directory.find("c", NOW_MS) is None
    directory.drop(one)
    directory.drop(one)
    assert directory.find("a", NOW_MS) is None
    assert directory.find("b", NOW_MS) == other


def test_sessions_of_a_person_are_told_the_one_used_last_first() -> None:
    directory = SessionDirectory()
    older, newer = session("a"), session("b", seen_ms=NOW_MS + 1)
    directory.put(older)
    directory.put(newer)
    assert directory.of_person("per_1") == [newer, older]
    directory.drop(newer)
    assert directory.of_person("per_1") == [older]
    directory.drop(older)
    assert directory.of_person("per_1") == []


def test_session_is_found_by_its_id_until_it_ends() -> None:
    one, other = session("a"), session("b")
    directory = SessionDirectory([one, other])
    assert directory.by_id(one.id) == one
    directory.drop(one)
    assert directory.by_id(one.id) is None
    assert directory.by_id(other.id) == other
