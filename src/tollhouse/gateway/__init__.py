"""One request through the platform.

Lives here: the stages of the request context, one a file, and `flow.py`, which reads in their order. A call whose
formats differ goes the same way: `attempt` chooses the format that its provider speaks, `outgoing` writes the call,
`translate` gives it a codec of both formats (`core.translation`), and all stages after that read it by that codec.
Does not live here: sockets, rows, wire formats, rules. The stages know ports (`ports.py`); `app.py` hands the parts in.
Who calls: the edge, once for each call of the LLM API.
"""
