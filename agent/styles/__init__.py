"""Agent systems: how a question becomes a plan and how a plan's results become an answer, one file per system.

A style decides; it does not act. Running tools, calling models and remembering steps belongs to `agent.loop`.
"""
