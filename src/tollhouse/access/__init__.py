"""Who may call, and what he may call: the rules about API keys, as pure functions.

Lives here: the form of a secret and its checksum (`secrets`), finding the key among the headers (`credentials`), the
verdict on a key (`judge`), allowed networks and models (`networks`, `models`), names of known clients (`clients`),
what a password must be like (`passwords`), every key in memory (`directory`), and secrets that have to be read again,
encrypted (`vault`).
Does not live here: rows, sockets, clocks, random bytes, hashing of passwords. Times and random bytes are arguments.
Who calls: the gateway once per request, routing for lists of models, the services when keys are made or changed.
"""
