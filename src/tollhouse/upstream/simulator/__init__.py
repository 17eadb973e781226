"""A provider within the process: deterministic answers, honest usage, scripted faults, behind the port of any upstream.

Lives here: `script` (what a test call asks for), `asked` (what a body asks for), `composer` (the answer to both),
`simulator` (pace, faults and the port) and `server` (the same on a real socket).
Does not live here: formats (`formats/`), which keys may script faults (`gateway/`), counting tokens (a port).
Who calls: `app.py` makes one simulator; the gateway sends to it what a test-mode key or a provider of kind `simulator`
is asked.
"""
