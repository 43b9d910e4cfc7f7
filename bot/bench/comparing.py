"""Two finished runs of a benchmark, or of a suite, as Markdown. Blocking: intervals are counted anew.

Raises ValueError for a summary of another version.
"""

from __future__ import annotations

from agent.journal import Json
from agent.language import Lang


def side_by_side(a: Json, b: Json, lang: Lang) -> str:
    """Tables and words. Of summaries, as runs keep them."""
    from evals.suites.summary import is_suite_summary

    if is_suite_summary(a) and is_suite_summary(b):
        from bot.bench import suites

        return suites.comparison(a, b, lang)
    from evals.report import compare, summary

    return compare.markdown(compare.compare(summary.read(a), summary.read(b)), lang)


def change(a: Json, b: Json, lang: Lang) -> str:
    """What has changed from one run to another, in words."""
    from evals.suites.summary import is_suite_summary

    if is_suite_summary(a) and is_suite_summary(b):
        from bot.bench import suites

        return suites.change(a, b, lang)
    from evals.report import compare, summary

    return compare.brief(compare.compare(summary.read(a), summary.read(b)), lang)
