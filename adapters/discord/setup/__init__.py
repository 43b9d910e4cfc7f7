"""For operators: setting the bot up, and finding what is wrong beforehand.

It must not do anything that a running server needs, except for the checks of the settings at its start.
"""

from __future__ import annotations
