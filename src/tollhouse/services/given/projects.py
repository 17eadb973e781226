"""What is given to make a project, and to list them."""

from tollhouse.core.account import ProjectFields
from tollhouse.core.fields import AccountReference
from tollhouse.services.given.paging import Paging


class NewProject(ProjectFields, frozen=True):
    account: AccountReference = None  # absent: the caller's own, or the only one there is


class ProjectQuery(Paging, frozen=True):
    account: AccountReference = None
