"""Who may see and do what in the console, as a page of docs/: made from the pages and from `access.roles`."""

from collections.abc import Iterator
from typing import Final

from tollhouse.access.roles import ACTING, MEMBERS, PLATFORM
from tollhouse.console.route import EVERYBODY, SIGNED_IN, ConsolePage, discovered
from tollhouse.console.visit import OWN

_HEAD: Final = """# Who may do what in the console

Written by `make docs` from the pages and from `access/roles.py`; a test asks every page as every role.

- **A member** of an account reaches its own account's objects and no others: the id of another account's object is
  answered like an unknown one. Pages below `/console/platform/` are for those who run the platform: 403 for members.
- **People of the platform** have no account. A page of an account leads them to the platform's page of the same thing,
  or to the list of accounts. While they look at an account (`act as`), they see its pages, and every form there is
  refused; the column *looking* says which pages that are. It is audited, and ends with a button or with the session.
- `yes`: allowed. `to`: led to the platform's page. `-`: refused, 403.
"""


def may_see(page: ConsolePage, role: str, *, of_platform: bool) -> str:
    """`yes`, `to` or `-`. of_platform: the role is one of the platform, with no account that it looks at."""
    if page.may in (EVERYBODY, SIGNED_IN):
        return "-" if page.of_platform and not of_platform else "yes"
    if page.may not in (PLATFORM if of_platform else MEMBERS)[role]:
        return "-"
    if page.of_platform:
        return "yes" if of_platform else "-"
    if not of_platform:
        return "yes"
    return "to" if page.method == "GET" else "-"


def may_look(page: ConsolePage) -> str:
    """Likewise of an operator who looks at an account."""
    if page.of_platform or page.may == EVERYBODY or (page.may == SIGNED_IN and page.path.startswith(OWN)):
        return "yes"
    if page.method == "POST":
        return "yes" if page.path == "/console/sign-out" else "-"
    return "yes" if page.may == SIGNED_IN or page.may in ACTING & PLATFORM["operator"] else "-"


def render() -> str:
    of_accounts = _table("Pages of an account, and of everybody", of_platform=False)
    return "\n".join((_HEAD, *of_accounts, "", *_table("Pages of the platform", of_platform=True))) + "\n"


def _table(title: str, *, of_platform: bool) -> Iterator[str]:
    roles = [*MEMBERS, *(f"platform {role}" for role in PLATFORM)]
    yield f"## {title}"
    yield ""
    yield f"| page | action | {' | '.join(roles)} | looking |"
    yield f"|---|---|{'---|' * (len(roles) + 1)}"
    for page in sorted(discovered(), key=lambda one: (one.path, one.method)):
        if page.of_platform == of_platform:
            members = [may_see(page, role, of_platform=False) for role in MEMBERS]
            platform = [may_see(page, role, of_platform=True) for role in PLATFORM]
            cells = " | ".join((*members, *platform, may_look(page)))
            yield f"| `{page.method} {page.path}` | {page.may} | {cells} |"
