"""`models price`: a file from import to sale, as an operator types it."""

from pathlib import Path

import pytest

from tests.cli.test_commands import Folder

PLATFORM = """
[providers.up]
kind = "simulator"
cost = { "gpt-4o-2024-11-20" = { input = "2.40", output = "9.00" } }

[models.toll-1]
offers = [{ provider = "up", model = "gpt-4o-2024-11-20" }]
price = { input = "2.50", output = "10.00", tiers = [{ above_input_tokens = 1000, input = "5.00", output = "15.00" }] }
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    folder = Folder(tmp_path_factory.mktemp("data"))
    folder.json("init")
    (folder.path / "platform.toml").write_text(PLATFORM, encoding="utf-8")
    assert folder.json("apply").answer["generation"] == 1
    folder.json("accounts", "create", "acme")
    return folder


def file(folder: Folder, name: str, text: str) -> str:
    path = folder.path / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_price_file_is_imported_previewed_and_activated(made: Folder) -> None:
    path = file(made, "retail.csv", "model,input,output\ntoll-1,3.00,9.00\n")
    draft = made.json("models", "price", "import", path, "--list", "retail").answer
    shown = made.type("models", "price", "preview", draft["id"])
    assert "No account buys by this list yet" in shown.out
    assert "0 calls since" in shown.out
    assert made.json("models", "price", "preview", draft["id"], "--days", "30").answer["data"] == []
    active = made.json("models", "price", "activate", draft["id"], "--at", "24h").answer
    assert active["state"] == "scheduled"
    rows = made.json("models", "price", "list", "toll-1").answer["data"]
    assert [(row["list"], row["state"]) for row in rows] == [("default", "in_force"), ("retail", "scheduled")]
    assert "above 1000: input 5.00 output 15.00" in made.type("models", "price", "list", "--list", "default").out
    assert draft["id"] in made.type("models", "price", "drafts").out
    account = made.json("accounts", "set", "acme", "--price-list", "retail", "--multiplier", "0.9").answer
    assert (account["price_list"], account["multiplier"]) == ("retail", "0.9")
    below = made.json("models", "list").answer["data"][0]["below_cost"]
    assert below[0].endswith("by list default at 0.9 times")
    assert "0.9 times" in made.type("models", "list").out


def test_what_the_file_prices_is_not_said_to_be_activated_by_a_command(made: Folder) -> None:
    path = file(made, "own.csv", "model,input,output\ntoll-1,3.00,9.00\n")
    shown = made.type("models", "price", "import", path).out
    assert ("not activated; change the file" in shown, "models price activate" in shown) == (True, False)
    assert "models price activate draft_" in made.type("models", "price", "import", path, "--list", "retail").out


def test_every_mistake_has_its_line_and_nothing_is_taken(made: Folder) -> None:
    path = file(made, "bad.csv", "model,input\na,2.5\nb,-1\nb,1\n")
    before = made.json("models", "price", "drafts").answer
    ran = made.type("models", "price", "import", path)
    assert ran.code == 2
    assert [line.partition(":")[0] for line in ran.err.strip().split("\n")] == ["line 3", "line 4"]
    assert made.json("models", "price", "drafts").answer == before


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("import", "no-such-file.csv"), 2),
        (("import",), 2),
        (("import", "--public", "x.csv"), 2),
        (("activate", "draft_none"), 1),
        (("preview", "draft_none"), 1),
    ],
)
def test_what_is_not_there_is_said_so(made: Folder, words: tuple[str, ...], code: int) -> None:
    assert made.json("models", "price", *words).code == code


def test_an_instant_that_is_over_is_refused(made: Folder) -> None:
    path = file(made, "late.json", '{"toll-2": {"input": "1"}}')
    draft = made.json("models", "price", "import", path).answer
    error = made.json("models", "price", "activate", draft["id"], "--at", "2020-01-01").error
    assert error["message"].startswith("at: ")


def test_makers_list_prices_can_be_brought_for_the_models_there_are(made: Folder) -> None:
    draft = made.json("models", "price", "import", "--public", "--list", "makers").answer
    assert (draft["models"], draft["state"]) == (1, "draft")
    assert "gpt-4o" in made.type("models", "list", "--public").out


def test_margins_of_no_calls(made: Folder) -> None:
    assert made.json("models", "margins").answer["data"] == []


def test_without_known_models_there_are_no_public_prices(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "data")
    folder.json("init")
    assert folder.json("models", "price", "import", "--public").code == 2
