"""Writes evals/kagentbench/sample/sample.jsonl from the items, tools and prompt templates beside it."""

from __future__ import annotations
