"""The troubleshooting checklist: what is wrong with a key, a request, a model's name or an error, and what cures it.

Lives here: judging what people paste, by its form alone, in five steps; pure, so that the console, the control API and
`tollhouse check` say the same.
Does not live here: how a key, its limits and its models stand on this platform (`services/diagnosis.py`), and calling a
service (`cli/checklist.py`).
Who calls: both of these. The codecs of the formats come in as arguments.
"""
