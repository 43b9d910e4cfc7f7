"""`kagentbot doctor`: finds beforehand what an operator would otherwise hear from users, and says how to mend it.

It changes nothing, works beside a running server, and must not need anything to be well that it looks at.
"""

from __future__ import annotations

from bot.doctor.lines import Level, Line
from bot.doctor.report import examine, run_doctor
from bot.doctor.storage import audit

__all__ = ["Level", "Line", "audit", "examine", "run_doctor"]
