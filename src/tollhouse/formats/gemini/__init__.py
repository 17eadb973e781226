"""The Gemini wire format: `generateContent` and its stream, in both directions.

Lives here, read from the outside in: `codecs` (all that the gateway knows of this format), `request` with `parameters`,
`contents`, `input_bounds` (what a caller asks), `answer` (an answer in one piece), `content_stream` (a stream on its
way), `gathering` (one made of the other), `embeddings`, `usage`, `failure`, `models`; `words` for calls between
formats.
Does not live here: addresses, keys; other dialects.
Who calls: the gateway by the codecs, the edge and the simulator.
"""
