"""Benchmarks from inside a chat: what `bench …` says, the jobs that run it, and the one message that shows it.

The measuring itself is `evals`: this room gives it the server's models, database and platforms, and never scores,
draws or counts on the event loop. Nothing heavy is imported before a run begins.
"""
