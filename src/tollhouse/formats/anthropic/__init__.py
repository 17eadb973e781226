"""The Anthropic wire format: the models list, errors and usage so far.

Lives here: `models`, `failure` and `usage`. Does not live here: Messages, which come later;
other dialects.
Who calls: the edge, for callers who speak this dialect.
"""
