"""One request through the platform.

Lives here: the stages of the request context, one a file, and `flow.py`, which reads in their order.
Does not live here: sockets, rows, wire formats, rules. The stages know ports (`ports.py`); `app.py` hands the parts in.
Who calls: the edge, once for each call of the LLM API.
"""
