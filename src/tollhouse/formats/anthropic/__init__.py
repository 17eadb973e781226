"""The Anthropic wire format: Messages, the count of their tokens, the list of models, and errors.

Lives here, read from the outside in: `codecs` (all that the gateway knows of this format), `request` with `unlisted`,
`blocks`, `input_bounds` (what a caller asks), `answer` (a message in one piece), `message_stream` (a stream on its
way), `gathering` and `unfold` (one turned into the other), `usage`, `finish`, `failure`. For calls between formats
`words` names a module each way: `request_reader`, `request_writer`, `reply_reader`, `reply_writer`, `event_reader`,
`event_writer`; blocks of all of them are those of `block_reader` and `block_writer`.
Does not live here: other formats; addresses and keys (`providers/anthropic.py`).
Who calls: `app.py`, which hands the codec to the gateway; the edge, for callers who speak this dialect.
"""
