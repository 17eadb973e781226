"""The JSON control API: `/api/v1/*` on the main listener, and the same on the control socket.

Lives here: `table` (every route: method, path, action, who may, what it takes and gives), one file of routes a noun,
`objects` (records as JSON), `callers` (who asks), `request_body` (strict reading of bodies and queries), `application`,
`openapi`.
Does not live here: what the actions do (the services), how keys are judged (access), how commands are typed (cli).
Who calls: `app.py` builds the application; the CLI makes its calls from the same table.
"""
