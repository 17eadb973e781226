"""What people do: accounts, projects, keys, people who sign in, the configuration file, reports, the audit.

Lives here: one noun a file, its actions as functions that take the `ServiceContext` and who acts; what a field may hold
(`fields`), what an actor may reach (`reach`), reading platform.toml (`platform_file`).
Does not live here: rows and SQL (behind `ports`), HTTP, JSON shapes (edge/admin), rules about keys (access).
Who calls: the control API, for every command and every change; `app.py` at the start.

An action is one transaction with its row of audit. When it is durable, memory follows at once (the directory, the
catalogue), so that it acts on the next request. Actions give records back, and raise the failures of core.
"""
