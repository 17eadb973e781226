"""The Anthropic wire format: the models list and errors so far.

Lives here: `models` and `failure`. Does not live here: Messages, which come later; anything of another dialect.
Who calls: the edge, for callers who speak this dialect.
"""
