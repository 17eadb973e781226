"""Rows of API keys and of their secrets at rest."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import structs
from sqlalchemy import Select, delete, insert, select, update

from tollhouse.core.account import ApiKey, Secret
from tollhouse.store.driver import Driver, clean
from tollhouse.store.records import record, row_of
from tollhouse.store.rows import SqlRecordRepository
from tollhouse.store.schema import key_secrets, keys

_LAST_USE = ("last_used_at_ms", "last_used_client")
_SECRETS_AT_ONCE = 500  # keys a statement asks for: databases bound the number of parameters


class SqlKeyRepository(SqlRecordRepository[ApiKey]):
    table, kind, noted = keys, ApiKey, "key"

    def add(self, one: ApiKey) -> None:
        super().add(one)
        self._save_secrets(one)

    def save(self, one: ApiKey) -> None:
        """Write everything but the last use, which the writer keeps by itself and which may be newer than `one`."""
        row = {name: value for name, value in self._row(one).items() if name not in _LAST_USE}
        self._connection.execute(update(keys).where(keys.c.id == one.id).values(row))
        self._save_secrets(one)
        self._changed(one.id)

    def list_all(self) -> list[ApiKey]:
        return self._whole(self._connection.execute(select(keys)).mappings().all(), include_all=True)

    def _found(self, question: Select[Any]) -> list[ApiKey]:
        return self._whole(self._connection.execute(question).mappings().all())

    def _first(self, *conditions: Any) -> ApiKey | None:
        found = self._found(select(keys).where(*conditions))
        return found[0] if found else None

    def _row(self, one: ApiKey) -> dict[str, Any]:
        row = row_of(one)
        del row["secrets"]
        return row

    def _save_secrets(self, key: ApiKey) -> None:
        """Write what a key has of secrets: few, however often it was rotated. Places go on where the last one was."""
        table = key_secrets.c
        question = select(table.digest, table.place).where(table.key_id == key.id)
        known = {row.digest: row.place for row in self._connection.execute(question)}
        gone = known.keys() - {secret.digest for secret in key.secrets}
        if gone:
            self._connection.execute(delete(key_secrets).where(table.key_id == key.id, table.digest.in_(gone)))
        place = max(known.values(), default=0)
        for secret in reversed(key.secrets):
            if secret.digest in known:
                ends = {"valid_until_ms": secret.valid_until_ms, "overlap_ms": secret.overlap_ms}
                self._connection.execute(update(key_secrets).where(table.digest == secret.digest).values(ends))
            else:
                place += 1
                row = structs.asdict(secret) | {"key_id": key.id, "place": place}
                self._connection.execute(insert(key_secrets).values(row))

    def _whole(self, rows: Sequence[Mapping[Any, Any]], *, include_all: bool = False) -> list[ApiKey]:
        secrets: dict[str, list[Secret]] = defaultdict(list)
        for part in [None] if include_all else _parts([row["id"] for row in rows]):
            question = select(key_secrets).order_by(key_secrets.c.place.desc())
            if part is not None:
                question = question.where(key_secrets.c.key_id.in_(part))
            for found in self._connection.execute(question).mappings():
                secrets[found["key_id"]].append(record(found, Secret))
        return [record(row, ApiKey, secrets=tuple(secrets[row["id"]])) for row in rows]


def touch(driver: Driver, uses: Mapping[str, tuple[int, str]]) -> None:
    """Write down when and by which client each key was last used."""
    if uses:
        driver.execute_many(
            "UPDATE keys SET last_used_at_ms = ?, last_used_client = ? WHERE id = ?",
            # Sorted, so that two processes that touch the same keys lock them in the same order.
            [(at_ms, clean(client), key_id) for key_id, (at_ms, client) in sorted(uses.items())],
        )


def _parts(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[at : at + _SECRETS_AT_ONCE] for at in range(0, len(ids), _SECRETS_AT_ONCE)]
