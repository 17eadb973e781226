"""The Gemini wire format: the models list, errors and usage so far.

Lives here: `models`, `failure` and `usage`. Does not live here: content generation, which comes later;
other dialects.
Who calls: the edge, for callers who speak this dialect.
"""
