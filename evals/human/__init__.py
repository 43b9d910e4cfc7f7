"""Ratings by people: one set of questions answered by every agent system on every model, rated blind from 1 to 5.

Where sets are kept comes in through `HumanStore`; who may rate, and where answers are shown, is the server's. What
this room hands to raters never names a system or a model.
"""

from __future__ import annotations
