"""The Gemini wire format: the models list and errors so far.

Lives here: `models` and `failure`. Does not live here: content generation, which comes later; other dialects.
Who calls: the edge, for callers who speak this dialect.
"""
