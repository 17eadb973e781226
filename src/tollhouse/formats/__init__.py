"""Wire formats, pure: one package a protocol, each in both directions (what a client sends us, what we send a
provider).

Lives here: reading and writing requests, answers, event streams and errors, and normalising usage.
Does not live here: sockets, addresses, signing, deciding.
Who calls: gateway, edge and the simulator. The packages do not know each other.
"""
