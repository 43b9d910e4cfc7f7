"""The machine's own clock."""

from __future__ import annotations

import time

import pytest

from agent.clock import SystemClock


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="Linux only")
def test_deadlines_pass_while_the_machine_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    slept = 3600.0
    clocks = {time.CLOCK_BOOTTIME: 100.0 + slept, time.CLOCK_MONOTONIC: 100.0}
    monkeypatch.setattr(time, "clock_gettime", clocks.__getitem__)
    assert SystemClock().monotonic() == 3700.0
