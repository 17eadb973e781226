"""From a model's name to the providers worth trying, as pure rules.

Lives here: names and aliases and retirement (`resolve`), which offers and provider keys fail (`health`), in which order
to try the rest (`choice`), what makes calls belong together (`affinity`), when another try is allowed (`retry`).
Does not live here: sending anything, reading a provider's errors, clocks. Times are arguments.
Who calls: the gateway for each call; lists of models and `providers list` ask the same rules.
"""
