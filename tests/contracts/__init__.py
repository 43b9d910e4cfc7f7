"""What every implementation of a port promises, as tests that the implementations share.

A suite is a class of tests on a workbench: a small protocol that says how to look at, and how to disturb, the thing
under test. The tests of an implementation subclass it and bring the workbench as a fixture.
"""

from __future__ import annotations

import pytest

# Only then do the assertions of these modules explain themselves when they fail.
pytest.register_assert_rewrite("tests.contracts.adapter", "tests.contracts.recovery", "tests.contracts.runs")
