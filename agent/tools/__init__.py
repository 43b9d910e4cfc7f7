"""Tools that the agent can run: one file per tool, and the registry that describes them.

A tool takes validated arguments and gives a result for the model and one for people. It knows nothing of turns, plans
or platforms, and it never answers wrongly where it can say that it doesn't know.
"""
