"""The agent itself: one loop that plans, acts and concludes, its models, styles and tools.

This room turns a frozen `Task` into a stream of `AgentEvent`s. It imports no platform, no web server and no
database: whatever it needs to remember goes through the `Journal` that it is handed, whatever it needs to say goes out
as events.
"""
