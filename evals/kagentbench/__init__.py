"""KAgentBench: reading its files, the published score to the last digit, and a sample of our own in its format.

It knows files and numbers; which model replied, and how, is `evals.running`'s business. Nothing here imports `agent`
but for the names of languages and JSON: the published parsers have quirks of their own, and no change of the agent may
change a score.
"""

from __future__ import annotations
