"""tollhouse projects: parts of an account."""

from cyclopts import App

from tollhouse.cli.asking import Yes, confirm
from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.field_options import Given, takes
from tollhouse.cli.terminal import columns, show, show_rows
from tollhouse.services.given.projects import NewProject, ProjectQuery

app = App(name="projects", help="Projects within an account.")


@app.command
@takes(NewProject, "name")
def create(given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Make a project. Without --account: of the only account there is."""
    project = call(at, "projects.create", body=given)
    show(at, project, f"Made project {project['name']}: {project['id']}")


@app.command(name="list")
@takes(ProjectQuery)
def list_all(given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Projects, newest first."""
    answer = call(at, "projects.list", body=given)
    shown = columns("id", "name", "account_id", "state", "created_at")
    show_rows(at, answer, shown, empty="There is no project here")


@app.command
def archive(project: str, *, yes: Yes = False, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Close a project: its keys stop working, its history stays."""
    confirm(at, f"Archive {project}? All its keys stop working at once.", yes=yes)
    answer = call(at, "projects.archive", project)
    show(at, answer, f"Archived project {answer['name']}")
