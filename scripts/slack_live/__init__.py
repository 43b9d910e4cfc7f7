"""`make slack-live`: fifteen steps against a real workspace, with a running server, and a report.

It needs the app's tokens, a person's token and a scratch channel; docs/slack.md says how to get them. The model is the
one of the tests, so that answers are known beforehand and cost nothing. What was posted is deleted again. Besides it
measures what Slack's documentation doesn't say.
"""

from __future__ import annotations
