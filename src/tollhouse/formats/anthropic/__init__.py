"""The Anthropic wire format: Messages, the count of their tokens, the list of models, and errors.

Lives here: requests as they are read and written, answers and streams, usage, and how all of it is said in core words
(`words`). Does not live here: other formats; addresses and keys (`providers/anthropic.py`).
Who calls: `app.py`, which hands the codec to the gateway; the edge, for callers who speak this dialect.
"""
