"""The Gemini wire format: `generateContent` and its stream, in both directions.

Lives here: reading and writing requests, answers, events and errors, the models list, usage. Does not live here:
addresses, keys; other dialects.
Who calls: the gateway by the codecs, the edge and the simulator.
"""
