"""What is given to make a project, and to list them."""

from typing import Annotated

from msgspec import Struct

from tollhouse.core.fields import AccountReference, Help
from tollhouse.services.given.paging import Paging


class NewProject(Struct, frozen=True, kw_only=True):
    name: Annotated[str, Help("")]
    account: AccountReference = None  # absent: the caller's own, or the only one there is


class ProjectQuery(Paging, frozen=True):
    account: AccountReference = None
