"""HTTP in: bytes become a call, an answer becomes bytes. Decides nothing.

Lives here: the listener and its parser's refusals, the router, the caller's connection, small read-only endpoints, and
`admin/`, the JSON control API.
Does not live here: who may call, what a call costs, where it goes.
Who calls: `app.py` starts it; nothing else knows it.
"""
