"""Models: one OpenAI-compatible client, the pool that hands out slots, and the embedded llama.cpp child.

This room knows HTTP endpoints and tokens. It knows nothing of turns, profiles or tools.
"""
