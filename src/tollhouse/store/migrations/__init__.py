"""The schema's history: one revision a file under `versions`, run by `store.migration`, each in SQLite and PostgreSQL.

Does not live here: the schema as it is today (`store.schema`). A revision never imports it: it must do in ten years
what it does now.
Who calls: `store.migration`, for `tollhouse migrate` and for an empty database.
"""
