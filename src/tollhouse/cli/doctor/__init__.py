"""What may be wrong with an installation: one check a file, each with its cure.

Lives here: `verdict` (what a check says), `context` (what it may look at), `examination` (finds and runs the checks);
every other module holds `TITLE` and `check`, and is found by walking this package.
Does not live here: repairing anything; a check only looks.
Who calls: `tollhouse doctor`.
"""
