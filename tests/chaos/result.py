"""What a run of the kill test has shown."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from tests.chaos import steps
from tests.chaos.stage import Plan, Traffic, Verdict


@dataclass
class Result:
    """What a run has shown."""

    plan: Plan
    report: Verdict
    deaths: int
    points: Counter[str]
    traffic: Traffic
    sent: int
    edited: int
    deleted: int
    stopped: int
    #: Every step that ran, by the logs of the model servers and of the tools.
    runs: list[steps.Run]
    #: Finished steps that ran again, and writing steps that ran twice.
    reruns: list[str]
    #: Answers that were asked for without all that the turn had found.
    incomplete: list[str]
    #: Deaths of the preferred model server.
    outages: int
    audit: str
    seconds: float
    #: Failures that are not "the server stopped so often": nothing else may fail here.
    unexplained: list[str]

    @property
    def ok(self) -> bool:
        broken = (self.reruns, self.incomplete, self.audit, self.report.unacked, self.unexplained)
        return self.report.ok and not any(broken)

    @property
    def handed_on(self) -> int:
        """Turns that one model server began and another one went on with."""
        return steps.handed_on(self.runs)

    def _ran(self) -> str:
        ran = Counter(run.step.split()[0].split("/")[0] for run in self.runs)
        again = steps.asked_again(self.runs)
        plans = f"{ran['plan']} plans ({again} asked for again, their call was under way), {ran['answer']} answers"
        return f"{plans}, {ran['note']} writing and {ran['look']} reading runs"

    def _headline(self) -> str:
        broken = f" broken: {self.plan.broken}" if self.plan.broken else ""
        kills = f"{self.deaths} kills in {self.seconds:.0f} s, {self.plan.conversations} conversations"
        return f"seed {self.plan.seed}{broken}: {kills}"

    def _verdict(self) -> list[str]:
        headline, *problems = str(self.report).splitlines()
        kinds = Counter(problem.kind for problem in self.report.problems)
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        return [f"  {headline}", f"  problems: {counts or 'none'}", *(f"  {line}" for line in problems[:10])]

    def _outages(self) -> str:
        return f"  preferred model server killed {self.outages} times; {self.handed_on} turns went on with another one"

    def __str__(self) -> str:
        lines = [
            self._headline(),
            f"  crash points hit: {', '.join(f'{name} {n}' for name, n in sorted(self.points.items())) or 'none'}",
            f"  {self.traffic}",
            f"  {self.sent} messages sent, {self.edited} edited, {self.deleted} deleted, {self.stopped} stopped",
            *self._verdict(),
            f"  {self._ran()}",
            *([self._outages()] if self.plan.failover else []),
            f"  finished steps run again or writing steps run twice: {len(self.reruns)}",
            *[f"    {rerun}" for rerun in self.reruns[:10]],
            f"  answers without all results: {len(self.incomplete)}",
            *[f"    {lacking}" for lacking in self.incomplete[:10]],
            *[f"    failed for another reason: {text}" for text in self.unexplained[:10]],
            f"  doctor --audit: {self.audit or 'clean'}",
            f"  {'HELD' if self.ok else 'BROKEN'}",
        ]
        return "\n".join(lines)
