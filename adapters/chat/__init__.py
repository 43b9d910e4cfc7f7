"""What chat platforms have in common: presses of buttons, slash commands, the profile as a form, the steps of an
answer, messages that are posted and edited within a budget, and the words for all of it.

A platform brings its own API, its markup and its sizes, and puts these together. This room must not name a platform,
import one's library or another adapter, or decide what the core decides (who is answered, what an answer says).
"""
