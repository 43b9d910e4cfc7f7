"""The terminal as a place to talk: `kagentbot chat`, a guest of the same JSON API that the page uses, and `kagentsys`,
which runs the agent for one question in its own process.

The chat asks a server that runs, or starts one of its own, and draws what comes back: it keeps nothing but the lines
that were typed, decides nothing about turns, and opens no database. `kagentsys` reads and records the conversation that
it is given the id of, and nothing else. Whatever comes from a model or a tool passes `console.safe` on its way to the
screen, because a terminal obeys what it is told to print.
"""
