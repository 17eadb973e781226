"""Rows: how the platform's records stand in a database, on SQLite and on PostgreSQL alike.

Lives here: the tables (`schema`) and their history (`migrations`), opening a database (`database`), one family of rows
a file, `tables` (all families on one connection), `writer` (one thread that commits whatever has arrived) and
`readers` (a few threads with a deadline).
Does not live here: rules, money arithmetic, who may do what. A row is written as it is handed in.
Who calls: `app.py` opens a store and hands it to the services (as its `Transactions`) and the gateway (as its
`Ledger`). SQL text stands nowhere else.
"""
