"""Options that several commands share, spelled and explained once."""

from typing import Annotated

from cyclopts import Parameter

AccountOption = Annotated[str | None, Parameter(name="--account", help="an account, by id or unique name")]
ProjectOption = Annotated[str | None, Parameter(name="--project", help="a project, by id or unique name")]
Amount = Annotated[str, Parameter(help="US dollars, such as 25 or 0.50", allow_leading_hyphen=True)]
Reason = Annotated[str | None, Parameter(help="why; kept with the change in the audit")]
Limit = Annotated[int | None, Parameter(help="how many at most")]
After = Annotated[str | None, Parameter(help="read on behind a page: what its `next` said")]
Yes = Annotated[bool, Parameter(name="--yes", negative=(), help="do not ask")]
