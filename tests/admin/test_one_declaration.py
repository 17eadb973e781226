"""What people set and see of a noun is declared once: record, request, answer, table and command all have it."""

from typing import NamedTuple, get_args

import pytest
from cyclopts import App
from msgspec import Struct
from msgspec.structs import fields
from sqlalchemy import Table

from tollhouse.billing.budgets import Budget, BudgetFields
from tollhouse.billing.ledger import CreditFields, Transfer
from tollhouse.cli import accounts as account_commands
from tollhouse.cli import budgets as budget_commands
from tollhouse.cli import codes as code_commands
from tollhouse.cli import credits as credit_commands
from tollhouse.cli import keys as key_commands
from tollhouse.cli import limits as limit_commands
from tollhouse.cli import projects as project_commands
from tollhouse.core.account import Account, AccountFields, ApiKey, KeyFields, Project, ProjectFields
from tollhouse.core.code import Code, CodeFields
from tollhouse.core.fields import Fields, Help
from tollhouse.core.limit import LimitFields, Rule
from tollhouse.edge.admin.openapi import document
from tollhouse.edge.admin.table import TABLE, called
from tollhouse.store import schema


class Noun(NamedTuple):
    shared: type[Fields]
    record: type[Struct]
    table: Table
    route: str  # by which one is made
    commands: App
    elsewhere: frozenset[str] = frozenset()  # fields of the record that stand in another table
    chain: frozenset[str] = frozenset()  # columns that are no field of the record

    @property
    def answer(self) -> type[Struct]:
        """One of them, where a list of them is answered."""
        gives = called(self.route).gives
        (answer,) = get_args(gives) or (gives,)
        return answer  # type: ignore[no-any-return]


CHAIN = frozenset(("sequence", "balance", "counter", "previous", "hash"))
NOUNS = {
    "budget": Noun(BudgetFields, Budget, schema.budgets, "budgets.set", budget_commands.app),
    "account": Noun(AccountFields, Account, schema.accounts, "accounts.create", account_commands.app),
    "key": Noun(KeyFields, ApiKey, schema.keys, "keys.create", key_commands.app, frozenset(("secrets",))),
    "project": Noun(ProjectFields, Project, schema.projects, "projects.create", project_commands.app),
    "limit": Noun(LimitFields, Rule, schema.limits, "limits.set", limit_commands.app),
    "code": Noun(CodeFields, Code, schema.codes, "codes.create", code_commands.app),
    "credit": Noun(CreditFields, Transfer, schema.ledger, "credits.grant", credit_commands.app, chain=CHAIN),
}


@pytest.fixture(params=NOUNS)
def noun(request: pytest.FixtureRequest) -> Noun:
    return NOUNS[request.param]


def test_the_record_the_request_and_the_answer_inherit_the_shared_fields(noun: Noun) -> None:
    for kind in (noun.record, called(noun.route).takes, noun.answer):
        assert issubclass(kind, noun.shared)


def test_the_table_has_a_column_for_each_field_of_the_record_and_no_other(noun: Noun) -> None:
    assert set(noun.table.columns.keys()) - noun.chain == set(noun.record.__struct_fields__) - noun.elsewhere


def test_the_command_has_an_option_for_each_field_with_a_help(noun: Noun) -> None:
    route = called(noun.route)
    command = noun.commands[route.name.partition(".")[2]]
    options = {name for argument in command.assemble_argument_collection() for name in argument.names}
    for field in fields(route.takes):
        for note in getattr(field.type, "__metadata__", ()):
            if isinstance(note, Help):
                assert f"--{note.option or field.name.replace('_', '-')}" in options


def test_an_answer_says_that_it_holds_each_shared_field_and_a_request_that_it_may_leave_it_out(noun: Noun) -> None:
    route, schemas = called(noun.route), document(TABLE, "0")["components"]["schemas"]
    answered, asked = schemas[noun.answer.__name__], schemas[route.takes.__name__]
    for field in fields(noun.shared):
        assert field.name in answered["required"]
        assert "default" not in answered["properties"][field.name]
        assert (field.name in asked.get("required", ())) == field.required
        assert ("default" in asked["properties"][field.name]) == (not field.required)
