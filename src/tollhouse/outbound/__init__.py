"""What leaves the platform for people: mail, signed webhooks, chat services.

Lives here: one way a file (`mail`, `webhook`, `chat`), and `post`, which offers them to the services as its `Post`
port. Does not live here: what is told, to whom, when, and how often it is tried (the services); connections to
receivers of webhooks (`upstream`, whose client `app.py` hands in); calls to providers.
Who calls: the services' outbox and its `alerts test`, through the port; `app.py` makes the `Post`; `doctor` tries the
mail server; whoever reads platform.toml asks `mail_server` whether it can be one.
"""
