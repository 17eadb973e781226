"""Records to store, each different from the other where a mix-up of columns could hide."""

from msgspec import structs

from tollhouse.core.account import Account, ApiKey, Project, Secret
from tollhouse.core.audit import AuditRow
from tollhouse.core.person import Person
from tollhouse.core.usage import BUCKETS, Usage
from tollhouse.core.usage_record import Attempt, UsageRecord

NOW_MS = 1_790_000_000_000


class FixedClock:
    """Wall time stands still unless a test moves it; ticks are real enough for deadlines far away."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.ms = now_ms

    def now_ms(self) -> int:
        return self.ms

    def ticks_ns(self) -> int:
        return self.ms * 1_000_000


def account(number: int = 1, **changed: object) -> Account:
    made = Account(
        id=f"acc_{number}",
        name=f"Zollhaus {number} 税关",
        email=f"owner{number}@example.org",
        plan="team",
        state="suspended",
        state_reason="unpaid",
        credit_limit=None,
        zone="Asia/Kathmandu",
        price_list="partner",
        multiplier_ppm=1_250_000,
        groups=("beta", "vip"),
        created_at_ms=NOW_MS + number,
    )
    return structs.replace(made, **changed)


def project(number: int = 1, **changed: object) -> Project:
    made = Project(id=f"proj_{number}", account_id="acc_1", name=f"project {number}", created_at_ms=NOW_MS + number)
    return structs.replace(made, **changed)


def secret(number: int = 1, **changed: object) -> Secret:
    made = Secret(
        digest=number.to_bytes(32, "big"),
        prefix="sk-th-live-",
        last4=f"{number:04}",
        created_at_ms=NOW_MS + number,
    )
    return structs.replace(made, **changed)


def key(number: int = 1, **changed: object) -> ApiKey:
    made = ApiKey(
        id=f"key_{number}",
        account_id="acc_1",
        project_id="proj_1",
        name=f"key {number}",
        mode="test",
        scopes=("usage",),
        models=("gpt-*", "claude-x"),
        networks=("10.0.0.0/8", "::1/128"),
        tags={"team": "Zoll", "stage": "prod"},
        state="frozen",
        state_reason="holiday",
        expires_at_ms=NOW_MS + 100,
        created_at_ms=NOW_MS + number,
        rotated_at_ms=NOW_MS + 50,
        last_used_at_ms=NOW_MS + 60,
        last_used_client="openai-python 3.57",
        secrets=(
            secret(number * 10 + 2),
            secret(number * 10 + 1, valid_until_ms=NOW_MS + 70),
            secret(number * 10, overlap_ms=80, prefix="sk-old"),
        ),
    )
    return structs.replace(made, **changed)


def person(number: int = 1, **changed: object) -> Person:
    made = Person(
        id=f"per_{number}",
        email=f"owner{number}@example.org",
        role="owner",
        account_id="acc_1",
        password_hash="$argon2id$...",
        state="disabled",
        created_at_ms=NOW_MS + number,
    )
    return structs.replace(made, **changed)


def audit_row(number: int = 1, **changed: object) -> AuditRow:
    made = AuditRow(
        id=f"aud_{number}",
        time_ms=NOW_MS + number,
        actor_kind="operator",
        actor_id="local",
        address="10.1.2.3",
        account_id="acc_1",
        action="key.freeze",
        object_id="key_1",
        before={"state": "active"},
        after={"state": "frozen", "reason": None},
    )
    return structs.replace(made, **changed)


def request(number: int = 1, **changed: object) -> UsageRecord:
    made = UsageRecord(
        id=f"req_{number}",
        time_ms=NOW_MS + number,
        account_id="acc_1",
        project_id="proj_1",
        key_id="key_1",
        mode="test",
        model="gpt-4o",
        dialect="openai",
        operation="chat",
        stream=True,
        status=200,
        error="upstream_error",
        ending="finished",
        client="curl 8.5",
        tags={"team": "Zoll"},
        provider="main",
        attempts=(
            Attempt(provider="first", model="a", status=500, error="upstream_error", start_ms=1, end_ms=2),
            Attempt(provider="main", model="b", status=200, start_ms=3, first_byte_ms=4, end_ms=5),
        ),
        usage=Usage(**{bucket: place for place, bucket in enumerate(BUCKETS, start=1)}),
        usage_source="upstream",
        raw_usage=b'{"prompt_tokens": 3}',
        output_cap=16,
        admitted_ms=6,
        first_byte_ms=7,
        last_byte_ms=8,
    )
    return structs.replace(made, **changed)
