"""tollhouse members: who signs in to the console."""

from cyclopts import App

from tollhouse.cli.asking import Yes, confirm
from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.field_options import Given, takes
from tollhouse.cli.terminal import columns, show, show_fields, show_rows
from tollhouse.services.given.people import NewInvitation, PeopleQuery, RoleChange

app = App(name="members", help="Members of accounts, and those who run the platform.")

_COLUMNS = columns("id", "email", "role", "account_id", "state", "has_factor", "signed_in_at")
_FIELDS = ("id", "email", "role", "account_id", "state", "has_factor", "signed_in_at", "created_at", "keys", "sessions")
_SESSIONS = columns("id", "browser", "address", "created_at", "seen_at", "looks_at")
_INVITED = columns("id", "email", "role", "account_id", "expires_at")


@app.command
@takes(NewInvitation, "email")
def add(given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Invite somebody: a mail has a link, and so has this answer, shown once. It works once, for seven days."""
    answer = call(at, "people.invite", body=given)
    show(at, answer, f"Invited {answer['email']}: {answer['id']}. On the platform's address: {answer['secret']}")


@app.command(name="list")
@takes(PeopleQuery)
def list_all(given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Members of an account, or with --platform those who run the platform."""
    show_rows(at, call(at, "people.list", body=given), _COLUMNS, empty="There is nobody: tollhouse members add EMAIL")


@app.command
@takes(PeopleQuery)
def invited(given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Who was invited and has not come yet."""
    show_rows(at, call(at, "people.invitations", body=given), _INVITED, empty="Nobody is invited")


@app.command
def uninvite(invitation: str, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """End an invitation, by its id: its links lead nowhere."""
    answer = call(at, "people.uninvite", invitation)
    show(at, answer, f"The invitation of {answer['email']} has ended")


@app.command(name="show")
def one(person: str, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """One person, by id or mail address, with the keys that they made."""
    show_fields(at, call(at, "people.show", person), _FIELDS)


@app.command
def sessions(person: str, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """In which browsers somebody is signed in."""
    answer = call(at, "sessions.list", body={"person": person})
    show_rows(at, answer, _SESSIONS, empty="They are signed in nowhere")


@app.command
def end_session(session: str, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Sign somebody out of one browser, by the session's id."""
    show(at, call(at, "sessions.end", session), f"Session {session} has ended")


@app.command(name="set")
@takes(RoleChange)
def change(person: str, given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Change a role. Their sessions end."""
    answer = call(at, "people.set", person, body=given)
    show(at, answer, f"{answer['email']} is {answer['role']} now")


@app.command
def disable(person: str, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Let somebody sign in no more, until they are enabled."""
    show(at, answer := call(at, "people.disable", person), f"{answer['email']} cannot sign in")


@app.command
def enable(person: str, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Let somebody sign in again."""
    show(at, answer := call(at, "people.enable", person), f"{answer['email']} can sign in")


@app.command
def sign_out(person: str, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """End all sessions of somebody."""
    show(at, answer := call(at, "people.sign_out", person), f"{answer['email']} is signed out everywhere")


@app.command
def forget_factor(person: str, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Forget the second factor of whoever lost it and their recovery codes."""
    show(at, answer := call(at, "people.forget_factor", person), f"{answer['email']} signs in by password alone")


@app.command
def remove(person: str, *, yes: Yes = False, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Remove somebody, by id or mail address; the keys that they made go on to work, and are named."""
    confirm(at, f"Remove {person}? They cannot sign in any more.", yes=yes)
    answer = call(at, "people.remove", person)
    kept = f"; keys they made that work: {', '.join(answer['keys'])}" if answer["keys"] else ""
    show(at, answer, f"Removed {answer['email']}{kept}")
