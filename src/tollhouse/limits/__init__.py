"""How much at once and how fast: limits on calls, as rules over counters held in memory.

Lives here: one kind of limit a file: calls in flight (`parallel`), calls per minute (`requests`); where a limit stands
and how a refusal reads (`level`), the arithmetic of token buckets (`bucket`), how a limit is shown (`standing`).
Does not live here: money (`billing/`), clocks (times are arguments), where limits are configured, and header bytes.
Who calls: the gateway's admit stage, once when a call comes and once when it is over.
"""
