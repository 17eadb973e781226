"""The OpenAI wire format: chat, completions, responses, embeddings, moderations, the models list and its errors.

Lives here, read from the outside in: `codecs` (one an operation: all that the gateway knows of this format), `request`
and `prompt` (what a caller asks), `answer` (a provider's buffered answer), `stream` (a provider's stream on its way,
made of `chat_stream`, `response_stream`, `chunk`, `template`, `delivered`), `written` (all the text of an answer),
`aggregate` and `unfold` (one turned into the other, with `joining` for chat, and `response_parts`, `response_items` and
`response_unfold`), `usage` (found by `usage_location`, in other words by `usage_spelling`), `reported` and `failure`
(errors coming and going), `models`; and, as a server, `answers` and `response_answers`.
Does not live here: addresses and keys (`providers`), sockets, retrying, charging; other dialects' formats.
Who calls: the gateway through the codecs, the edge for lists and errors, the simulator for answers of its own.
"""
