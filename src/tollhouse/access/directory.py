"""Every account, project and key in memory, each secret found in one look-up by its full SHA-256.

The index is keyed by the whole digest of the whole text: nothing shorter, and nothing derived from what the caller sent
besides the secret. Revoked keys and old secrets stay, so that a refusal can say what is the matter.

Whoever changes a row puts the new record here right after the commit; the next request sees it.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from msgspec import structs

from tollhouse.core.account import Account, ApiKey, Identity, Project, Secret

Named = TypeVar("Named", Account, Project, ApiKey)


class Directory:
    """`on_first_use` hears of a key whose new secret was used for the first time while the old one's overlap waited for
    it; the record it gets has the clock started. It is called on the hot path, and only then."""

    def __init__(
        self,
        accounts: Iterable[Account] = (),
        projects: Iterable[Project] = (),
        keys: Iterable[ApiKey] = (),
        on_first_use: Callable[[ApiKey], None] | None = None,
    ) -> None:
        self.accounts: dict[str, Account] = {}
        self.projects: dict[str, Project] = {}
        self.keys: dict[str, ApiKey] = {}
        self.last_uses: dict[str, tuple[int, str]] = {}
        """Key id -> (Unix milliseconds, client), of this process; rows are coarser."""
        self.on_first_use = on_first_use
        self._identities: dict[bytes, Identity] = {}
        self._keys_of: dict[str, set[str]] = {}  # ids of keys by account id and by project id
        self._named: dict[str, set[str]] = {}  # ids of all three kinds by name
        self._awaiting: set[str] = set()  # ids of keys with an overlap that waits for a first use
        for account in accounts:
            self.put_account(account)
        for project in projects:
            self.put_project(project)
        for key in keys:
            self.put_key(key)

    def find(self, digest: bytes) -> Identity | None:
        """Whose secret this is, by `access.secrets.digest` of its text. States and times are the caller's to judge."""
        return self._identities.get(digest)

    def used(self, identity: Identity, client: str, now_ms: int) -> None:
        """A secret was accepted: remember the use, and start the old secret's clock if it waits for this."""
        key_id = identity.key.id
        self.last_uses[key_id] = (now_ms, client)
        if key_id in self._awaiting:
            self._start_clock(self.keys[key_id], identity.secret, now_ms)

    def put_account(self, account: Account) -> None:
        self._rename(self.accounts.get(account.id), account)
        self.accounts[account.id] = account
        self._index_keys_of(account.id)

    def put_project(self, project: Project) -> None:
        self._rename(self.projects.get(project.id), project)
        self.projects[project.id] = project
        self._index_keys_of(project.id)

    def put_key(self, key: ApiKey) -> None:
        """Raises KeyError if its account or project was not put before."""
        before = self.keys.get(key.id)
        if before is not None:
            for secret in before.secrets:
                self._identities.pop(secret.digest, None)
            self._keys_of[before.project_id].discard(key.id)
            self._keys_of[before.account_id].discard(key.id)
        self._rename(before, key)
        self.keys[key.id] = key
        self._keys_of.setdefault(key.account_id, set()).add(key.id)
        self._keys_of.setdefault(key.project_id, set()).add(key.id)
        if any(secret.overlap_ms is not None for secret in key.secrets):
            self._awaiting.add(key.id)
        else:
            self._awaiting.discard(key.id)
        self._index(key)

    def accounts_called(self, reference: str) -> list[Account]:
        """By id, else by name: active ones if there are any, else suspended ones."""
        return _preferred(self._called(self.accounts, reference), lambda account: account.state == "active")

    def projects_called(self, reference: str, account_id: str | None = None) -> list[Project]:
        """By id, else by name within the account: active ones if there are any, else archived ones."""
        found = [one for one in self._called(self.projects, reference) if account_id in (None, one.account_id)]
        return _preferred(found, lambda project: project.state == "active")

    def keys_called(self, reference: str, account_id: str | None = None) -> list[ApiKey]:
        """By id, else by name within the account: those not revoked if there are any, else revoked ones."""
        found = [one for one in self._called(self.keys, reference) if account_id in (None, one.account_id)]
        return _preferred(found, lambda key: key.state != "revoked")

    def _index(self, key: ApiKey) -> None:
        account, project = self.accounts[key.account_id], self.projects[key.project_id]
        for secret in key.secrets:
            self._identities[secret.digest] = Identity(key=key, secret=secret, account=account, project=project)

    def _index_keys_of(self, owner_id: str) -> None:
        for key_id in self._keys_of.get(owner_id, ()):
            self._index(self.keys[key_id])

    def _rename(self, before: Named | None, after: Named) -> None:
        if before is not None and before.name != after.name:
            self._named[before.name].discard(before.id)
        self._named.setdefault(after.name, set()).add(after.id)

    def _called(self, kind: dict[str, Named], reference: str) -> list[Named]:
        if reference in kind:
            return [kind[reference]]
        return [kind[one] for one in sorted(self._named.get(reference, ())) if one in kind]

    def _start_clock(self, key: ApiKey, used: Secret, now_ms: int) -> None:
        if not key.secrets or key.secrets[0].digest != used.digest:
            return  # the old one was used
        started = structs.replace(key, secrets=tuple(clock_started(secret, now_ms) for secret in key.secrets))
        self.put_key(started)
        if self.on_first_use is not None:
            self.on_first_use(started)


def clock_started(secret: Secret, now_ms: int) -> Secret:
    """A secret whose overlap waited, from now on ending; any other as it is."""
    if secret.overlap_ms is None:
        return secret
    return structs.replace(secret, valid_until_ms=now_ms + secret.overlap_ms, overlap_ms=None)


def _preferred(found: list[Named], alive: Callable[[Named], bool]) -> list[Named]:
    return [one for one in found if alive(one)] or found
