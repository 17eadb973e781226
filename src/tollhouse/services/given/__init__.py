"""What people give to have something done: one file of structs a noun.

Lives here: what routes and actions take, field by field, with what the help of a command says of it.
Does not live here: what is done with it (the services beside), and what is answered (edge/admin).
Who calls: the services and the control API take it, and the command line has its options from it. A command has to load
at once, so that nothing is imported here but the words of core and billing.
"""
