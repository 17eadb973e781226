"""What the office needs of a database, as ports; `store` has the real ones.

The rows of a family are good for one transaction, in the thread that runs it: a deed is a plain function on `Tables`.
`save` replaces the row with the same id, `get` gives None where there is none, `page` gives the newest first.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

from tollhouse.core.account import Account, ApiKey, Project
from tollhouse.core.audit import AuditRow
from tollhouse.core.catalogue import Catalogue
from tollhouse.core.person import Person
from tollhouse.core.roll_up import UsageBy, UsageSum

T = TypeVar("T")

Place = tuple[int, str]
"""(time in Unix milliseconds, id): where a page ended."""


class AccountRows(Protocol):
    def add(self, account: Account) -> None: ...
    def save(self, account: Account) -> None: ...
    def get(self, account_id: str) -> Account | None: ...
    def page(self, *, before: Place | None, limit: int, account_id: str | None = None) -> list[Account]: ...


class ProjectRows(Protocol):
    def add(self, project: Project) -> None: ...
    def save(self, project: Project) -> None: ...
    def get(self, project_id: str) -> Project | None: ...
    def active_named(self, account_id: str, name: str) -> Project | None: ...
    def page(self, *, before: Place | None, limit: int, account_id: str | None = None) -> list[Project]: ...


class KeyRows(Protocol):
    def add(self, key: ApiKey) -> None: ...
    def save(self, key: ApiKey) -> None: ...
    def get(self, key_id: str) -> ApiKey | None: ...
    def page(
        self, *, before: Place | None, limit: int, account_id: str | None = None, project_id: str | None = None
    ) -> list[ApiKey]: ...


class PeopleRows(Protocol):
    def add(self, person: Person) -> None: ...
    def save(self, person: Person) -> None: ...
    def by_email(self, email: str) -> Person | None: ...


class AuditRows(Protocol):
    def add(self, row: AuditRow) -> None: ...
    def page(
        self, *, before: Place | None, limit: int, account_id: str | None = None, object_id: str | None = None
    ) -> list[AuditRow]: ...


class UsageRows(Protocol):
    def sums(
        self,
        by: UsageBy,
        *,
        from_ms: int,
        to_ms: int,
        account_id: str | None = None,
        key_id: str | None = None,
        mode: str | None = None,
    ) -> list[UsageSum]: ...


class CatalogueRows(Protocol):
    def load(self) -> Catalogue: ...
    def save(self, catalogue: Catalogue, now_ms: int) -> None: ...


class Tables(Protocol):
    @property
    def accounts(self) -> AccountRows: ...
    @property
    def projects(self) -> ProjectRows: ...
    @property
    def keys(self) -> KeyRows: ...
    @property
    def people(self) -> PeopleRows: ...
    @property
    def audit(self) -> AuditRows: ...
    @property
    def usage(self) -> UsageRows: ...
    @property
    def catalogue(self) -> CatalogueRows: ...


class Rows(Protocol):
    async def change(self, deed: Callable[[Tables], T], after: Callable[[T], None] | None = None) -> T:
        """Run `deed` in one transaction; return its answer once it is durable. `deed` may run twice, so it changes
        nothing but rows; `after` is called with the answer on the event loop, in the order of the commits, also if the
        caller was cancelled. Raises what `deed` raises, Conflict, Overloaded."""
        ...

    async def read(self, question: Callable[[Tables], T]) -> T:
        """Ask in one transaction that cannot write. Raises Overloaded, and what `question` raises."""
        ...
