"""However a key is rotated and used, at most two secrets are alive, and the newest always is."""

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from tollhouse.access.directory import clock_started
from tollhouse.core.account import ApiKey, Secret
from tollhouse.services import rotation

NOW_MS = 1_790_000_000_000


def secret(number: int, now_ms: int) -> Secret:
    return Secret(digest=number.to_bytes(32, "big"), prefix="sk-th-live-", last4="0000", created_at_ms=now_ms)


def alive(key: ApiKey, now_ms: int) -> list[int]:
    return [
        int.from_bytes(one.digest, "big")
        for one in key.secrets
        if one.valid_until_ms is None or now_ms < one.valid_until_ms
    ]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("rotate"), st.integers(0, rotation.OVERLAP_MS_MAX), st.sampled_from(("now", "first-use"))),
        st.tuples(st.just("wait"), st.integers(0, 2 * rotation.OVERLAP_MS_MAX), st.just("")),
        st.tuples(st.just("use newest"), st.just(0), st.just("")),
        st.tuples(st.just("end"), st.integers(0, rotation.OVERLAP_MS_MAX), st.just("")),
    ),
    max_size=30,
)


@settings(max_examples=300)
@given(steps=STEPS)
def test_at_most_two_secrets_are_alive_and_what_is_dead_stays_dead(steps: list[tuple[str, int, str]]) -> None:
    now_ms = NOW_MS
    key = ApiKey(
        id="key_1", account_id="a", project_id="p", name="k", created_at_ms=now_ms, secrets=(secret(0, now_ms),)
    )
    number, dead, ends_ms = 0, set[int](), dict[int, int]()
    for step, amount, counted_from in steps:
        if step == "rotate":
            number += 1
            before = alive(key, now_ms)
            key = rotation.rotated(
                key,
                secret(number, now_ms),
                overlap_ms=amount,
                counted_from="now" if counted_from == "now" else "first-use",
                now_ms=now_ms,
            )
            after = alive(key, now_ms)
            assert set(after) <= {number, number - 1}
            if number - 1 not in ends_ms:
                if amount > 0 or counted_from == "first-use":
                    assert set(after) == {number, number - 1}
                assert number - 1 in before
        elif step == "wait":
            now_ms += amount
        elif step == "end":
            key = rotation.ended(key, now_ms + amount)
            for one in range(number + 1):
                ends_ms[one] = min(ends_ms.get(one, now_ms + amount), now_ms + amount)
            assert rotation.awaits_secret(key)
        else:
            key = structs.replace(key, secrets=tuple(clock_started(one, now_ms) for one in key.secrets))
        living = set(alive(key, now_ms))
        assert number in living or ends_ms[number] <= now_ms
        assert all(now_ms < ends_ms[one] for one in living & ends_ms.keys()), "nothing outlives its end"
        assert len(living) <= 2
        assert not living & dead
        dead |= set(range(number + 1)) - living
        kept = min(number + 1, rotation.SECRETS_KEPT)  # of the last ones a refusal says that they were rotated
        assert [one.created_at_ms for one in key.secrets] == sorted(
            (one.created_at_ms for one in key.secrets), reverse=True
        )
        assert len(key.secrets) == kept
