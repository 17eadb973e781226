"""The vocabulary: the nouns every layer speaks, and the one error tree.

Lives here: plain records, amounts of money, usage buckets, failures, ids, server-sent events as text.
Does not live here: anything that reads a clock, draws a random number, opens a file or a socket.
Who calls: everybody. This layer imports the standard library and msgspec only.
"""
