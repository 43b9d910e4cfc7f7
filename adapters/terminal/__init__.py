"""The terminal as a place to talk: `kagentbot chat`, and `kagentsys` for one question the way KAgentSys asks it.

The chat is a guest of the same JSON API that the page uses: it asks a server that runs, or starts one of its own, keeps
nothing but the lines that were typed, decides nothing about turns, opens no database; what it shows is on the page as
well. Whatever comes from a model or a tool passes `console.safe` on its way to the screen: a terminal obeys what it is
told to print.
"""
