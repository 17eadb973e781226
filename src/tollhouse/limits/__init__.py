"""How much at once and how fast: limits on calls, as rules over counters held in memory.

Lives here: one kind of limit a file, found by walking this package for a module with `KIND` (`discovery`): calls in
flight (`parallel`), calls per minute (`requests`), tokens per minute (`tokens`); what a kind declares (`kind`) and how
units that a call has many of are counted (`unit_rate`); calls per minute from one address (`addresses`), tries at what
must not be guessed (`attempts`); which limits a call has to pass (`rules`) and passing them all or none
(`rate_limiter`); the arithmetic of token buckets (`bucket`), which limit headers show (`tightest`), how it refuses
(`counter_key`).
Does not live here: money (`billing/`), clocks (times are arguments), where limits are stored.
Who calls: the gateway's admit stage, once when a call comes and once when it is over; the services, to show and set
them.
"""
