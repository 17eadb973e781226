"""What leaves the platform for people: mail, signed webhooks, chat services.

Lives here: one alert channel a file (`mail`, `webhook`, `chat`), found by walking this package for a module with
`CHANNEL` (`discovery`); what a channel declares (`channel`); and `post`, which offers them to the services as their
delivery port. Does not live here: what is told, to whom, when, and how often it is tried (the services); connections to
receivers of webhooks (`upstream`, whose client `app.py` hands in); calls to providers.
Who calls: the services' outbox and its `alerts test`, through the port; `app.py` makes the `Post`; `doctor` tries the
mail server; whoever reads platform.toml asks `mail_server` whether it can be one.
"""
