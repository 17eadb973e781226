"""Commands that are typed wrongly: what was wrong is named, and what is typed instead."""

import pytest

from tests.cli.test_commands import Folder
from tollhouse.cli.command_line import COMMANDS

EVERY = ", ".join(name for name, _, _ in COMMANDS)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    folder = Folder(tmp_path_factory.mktemp("data"))
    folder.json("init")
    text = (folder.path / "platform.toml").read_text(encoding="utf-8")
    (folder.path / "platform.toml").write_text(f"{text}\n[plans.pro]\n[plans.team]\n", encoding="utf-8")
    assert folder.json("apply").answer["generation"] == 1
    for name in ("acme", "acme-two", "zoll"):
        folder.json("accounts", "create", name)
    return folder


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("accounts create", "NAME is missing: type tollhouse accounts create NAME"),
        ("accounts show", "ACCOUNT is missing: type tollhouse accounts show ACCOUNT"),
        ("keys create", "NAME is missing: type tollhouse keys create NAME"),
        ("credits grant acme", "USD is missing: type tollhouse credits grant ACCOUNT USD"),
        ("credits refund", "REQUEST_ID is missing: type tollhouse credits refund REQUEST_ID"),
        ("budgets remove", "BUDGET is missing: type tollhouse budgets remove BUDGET"),
        ("models price activate", "DRAFT is missing: type tollhouse models price activate DRAFT"),
        ("codes create", "codes create needs --amount (US dollars"),
        ("alerts test X", "not expected: X. Type tollhouse alerts test; options are --budget, --webhook, --mail"),
        ("plan nosuch", "not expected: nosuch. Type tollhouse plan; options are --file"),
        ("apply nosuch more", "not expected: nosuch, more. Type tollhouse apply; options are --file, --yes"),
        ("doctor x", "not expected: x. Type tollhouse doctor; it takes no option of its own"),
        ("keys create a b", "not expected: b. Type tollhouse keys create NAME; options are --account, --project"),
        ("providers check a b", "not expected: b. Type tollhouse providers check [PROVIDER]; it takes no option"),
        (
            "credits refund req_x --usd 0.0001",
            "there is no option --usd here; there are --reason, --yes, --dir, --json",
        ),
        ("keys list --accont acme", "there is no option --accont here; did you mean --account?"),
        ("accounts show acme --jsn", "there is no option --jsn here; did you mean --json?"),
        ("requests list --mode tset", "--mode: there are live, test, and not tset; did you mean test?"),
        ("requests list --dialect klingon", "dialect: there are anthropic, gemini, openai"),
        (
            "usage --by dialekt",
            "--by: there are model, key, project, day, tag, dialect, operation, and not dialekt; did",
        ),
        ("requests list --error", "--error needs a value behind it"),
        ("requests list --limit x", "--limit: x is no whole number"),
        ("requests list --status 429 --status 4xx", "--status is given more than once: give it once"),
        ("members set nobody --role", "--role needs a value behind it (owner, admin,"),
        (
            "members set nobody --role king",
            "role: there are owner, admin, developer, viewer, operator, finance, support",
        ),
        (
            "audit list --csv --json",
            '{"error":{"message":"--csv and --json are two forms of the same answer: choose one',
        ),
        ("refund", f"there is no command refund; did you mean credits refund or tickets refund? There are {EVERY}"),
        ("prices", f"there is no command prices; did you mean models price? There are {EVERY}"),
        ("acounts", f"there is no command acounts; did you mean accounts? There are {EVERY}"),
        ("nosuch", f"there is no command nosuch. There are {EVERY}"),
        ("accounts nosuch", "there is no command accounts nosuch. There are create, list, show, set, suspend, resume"),
        ("accounts set acme --price-list nosuchlist", "price_list: 'nosuchlist' has no prices; there is default"),
        ("accounts create x --plan gold", "plan: 'gold' is unknown; there are default, pro, team"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_typed_instead(made: Folder, words: str, said: str) -> None:
    ran = made.type(*words.split())
    assert (ran.code, ran.err.strip()[: len(said)]) == (2, said)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("acm", "no account acm; did you mean acme, acme-two?"),
        ("amce", "no account amce; did you mean acme?"),
        ("ACME", "no account ACME; did you mean acme, acme-two?"),
        ("zol", "no account zol; did you mean zoll?"),
        ("nosuch", "no account nosuch"),
    ],
)
def test_an_account_of_nearly_that_name_is_named(made: Folder, typed: str, said: str) -> None:
    ran = made.type("accounts", "show", typed)
    assert (ran.code, ran.err.strip()) == (1, said)


@pytest.mark.parametrize("words", ["-v", "-V", "--version"])
def test_the_version_is_asked_for_in_many_ways(made: Folder, words: str) -> None:
    assert made.type(words).code == 0


@pytest.mark.parametrize("words", ["help", "help accounts", "accounts help", "help keys create", "-h", "plan help"])
def test_help_is_asked_for_in_many_ways(made: Folder, words: str) -> None:
    ran = made.type(*words.split())
    assert (ran.code, ran.err) == (0, "")
    assert "Usage: tollhouse" in ran.out


DESTRUCTIVE = (
    *(
        "budgets remove nosuch",
        "limits remove nosuch",
        "keys revoke nosuch",
        "keys freeze nosuch",
        "keys rotate nosuch",
    ),
    *(
        "projects archive nosuch",
        "accounts suspend nosuch",
        "credits refund req_nosuch",
        "models price activate nosuch",
    ),
    "credits adjust nosuch 1 --reason x",
)


@pytest.mark.parametrize("words", DESTRUCTIVE)
@pytest.mark.parametrize("place", ["before", "behind"])
def test_yes_is_understood_wherever_something_is_taken_away(made: Folder, words: str, place: str) -> None:
    group, rest = words.rsplit(" ", 1) if "adjust" not in words else ("credits adjust", "nosuch 1 --reason x")
    typed = [*group.split(), "--yes", *rest.split()] if place == "before" else [*words.split(), "--yes"]
    ran = made.type(*typed)
    assert (ran.code, "no " in ran.err) == (1, True), ran.err
