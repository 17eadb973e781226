"""Every account, project and key in memory, each secret found in one look-up by its full SHA-256.

The index is keyed by the whole digest of the whole text: nothing shorter, and nothing derived from what the caller sent
besides the secret. Revoked keys and old secrets stay, so that a refusal can say what is the matter.

Names are found within one account, without a look at any other, and those in use without a look at those that were:
neither another's objects nor one's own dead ones change an answer, or what it costs.

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
        self.last_addresses: dict[str, str] = {}
        """Key id -> the address that it was used from last, of this process; nobody writes it down."""
        self.on_first_use = on_first_use
        self._identities: dict[bytes, Identity] = {}
        self.find: Callable[[bytes], Identity | None] = self._identities.get
        """Whose secret this is, by `access.secrets.digest` of its text. States and times are the caller's to judge."""
        self._keys_of: dict[str, set[str]] = {}  # ids of keys by account id and by project id
        self._accounts_named = _Names()
        self._projects_named = _Names()
        self._keys_named = _Names()
        self._awaiting: set[str] = set()  # ids of keys with an overlap that waits for a first use
        for account in accounts:
            self.put_account(account)
        for project in projects:
            self.put_project(project)
        for key in keys:
            self.put_key(key)

    def used(self, identity: Identity, client: str, now_ms: int, address: str = "") -> None:
        """A secret was accepted: remember the use, and start the old secret's clock if it waits for this."""
        key_id = identity.key.id
        self.last_uses[key_id] = (now_ms, client)
        self.last_addresses[key_id] = address
        if key_id in self._awaiting:
            self._start_clock(self.keys[key_id], identity.secret, now_ms)

    def put_account(self, account: Account) -> None:
        self._accounts_named.put(account.id, ("", account.name), in_use=account.state == "active")
        self.accounts[account.id] = account
        self._index_keys_of(account.id)

    def put_project(self, project: Project) -> None:
        self._projects_named.put(project.id, (project.account_id, project.name), in_use=project.state == "active")
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
        self._keys_named.put(key.id, (key.account_id, key.name), in_use=key.state != "revoked")
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
        return _called(self.accounts, self._accounts_named, reference, ("",))

    def projects_called(self, reference: str, account_id: str | None = None) -> list[Project]:
        """By id, else by name within the account: active ones if there are any, else archived ones. Without an account:
        within each there is, which is for the operator."""
        return _called(self.projects, self._projects_named, reference, self._within(account_id))

    def keys_called(self, reference: str, account_id: str | None = None) -> list[ApiKey]:
        """By id, else by name within the account: those not revoked if there are any, else revoked ones."""
        return _called(self.keys, self._keys_named, reference, self._within(account_id))

    def keys_of(self, owner_id: str) -> list[ApiKey]:
        """All keys of an account or a project, in no order."""
        return [self.keys[key_id] for key_id in self._keys_of.get(owner_id, ())]

    def keys_in_use(self, account_id: str) -> int:
        """Keys of the account that are not revoked."""
        return self._keys_named.in_use(account_id)

    def projects_in_use(self, account_id: str) -> int:
        """Active projects of the account."""
        return self._projects_named.in_use(account_id)

    def _within(self, account_id: str | None) -> Iterable[str]:
        return self.accounts if account_id is None else (account_id,)

    def _index(self, key: ApiKey) -> None:
        account, project = self.accounts[key.account_id], self.projects[key.project_id]
        for secret in key.secrets:
            self._identities[secret.digest] = Identity(key=key, secret=secret, account=account, project=project)

    def _index_keys_of(self, owner_id: str) -> None:
        for key_id in self._keys_of.get(owner_id, ()):
            self._index(self.keys[key_id])

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


class _Names:
    """Ids by (account id, name): of what is in use, and of what was."""

    def __init__(self) -> None:
        self._using: dict[tuple[str, str], set[str]] = {}
        self._used: dict[tuple[str, str], set[str]] = {}
        self._places: dict[str, tuple[tuple[str, str], bool]] = {}
        self._count: dict[str, int] = {}  # in use, by account id

    def put(self, object_id: str, name: tuple[str, str], *, in_use: bool) -> None:
        before = self._places.get(object_id)
        if before == (name, in_use):
            return
        if before is not None:
            named, was_in_use = before
            group = self._using if was_in_use else self._used
            group[named].discard(object_id)
            if not group[named]:
                del group[named]
            self._count[named[0]] -= was_in_use
        self._places[object_id] = name, in_use
        (self._using if in_use else self._used).setdefault(name, set()).add(object_id)
        self._count[name[0]] = self._count.get(name[0], 0) + in_use

    def find(self, name: str, accounts: Iterable[str]) -> list[str]:
        """In the order of their ids; those in use if there are any."""
        for group in (self._using, self._used):
            found = [one for account_id in accounts for one in group.get((account_id, name), ())]
            if found:
                return sorted(found)
        return []

    def in_use(self, account_id: str) -> int:
        return self._count.get(account_id, 0)


def _called(kind: dict[str, Named], names: _Names, reference: str, accounts: Iterable[str]) -> list[Named]:
    one = kind.get(reference)
    if one is not None and (isinstance(one, Account) or one.account_id in accounts):
        return [one]
    return [kind[found] for found in names.find(reference, accounts)]
