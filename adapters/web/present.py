"""Rows and drafts to pictures of turns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from adapters.web import models
from adapters.web.render import Renderer
from agent.language import Lang, Text
from bot.exporting import sound
from bot.live import Picture
from bot.messages import Author, Draft, Target
from bot.present import StepState, journaled, title_of
from bot.store.search import Found
from bot.store.views import ConversationView, TurnView

#: Name of this platform in the database.
PLATFORM = "web"
#: Who writes here. The page has no accounts: whoever may open it is this person.
VIEWER = "web"
PERSON = Author(VIEWER)
#: Tells whoever watches a conversation that it changed, but none of its turns.
NO_TURN = 0
_KEY_PREFIX = f"{PLATFORM}:"


def stored_key(key: str) -> str:
    """The conversation's key in the database."""
    return _KEY_PREFIX + key


def public_key(stored: str) -> str:
    """The conversation's key in the API."""
    return stored.removeprefix(_KEY_PREFIX)


def target_of(key: str) -> Target:
    """Where a conversation lives: on this platform each is a channel of its own, and all are in one workspace."""
    return Target(PLATFORM, "", key, None, stored_key(key))


def draft_body(draft: Draft) -> dict[str, Any]:
    """A draft as its row keeps it."""
    return {
        "text": sound(draft.text),
        "status": draft.status,
        "consent": draft.consent and {"key": draft.consent.key, "question": sound(draft.consent.question)},
        "steps": [
            {"key": s.key, "tool": s.tool, "args": s.args, "state": s.state, "result": sound(s.result)}
            for s in draft.steps
        ],
    }


class Presenter:
    """Makes pictures of turns for the API."""

    def __init__(self, titles: Mapping[str, Text]) -> None:
        self.titles = titles
        self.renderer = Renderer()

    async def turn(self, view: TurnView) -> models.Turn:
        """The picture that the rows give."""
        body: Mapping[str, Any] = view.draft.body if view.draft is not None else {}
        text = body.get("text", "") if view.live else view.answer
        drawn = map(self._drawn, body["steps"]) if body else (journaled(step, view.live) for step in view.steps)
        consent = body.get("consent") if view.state == "waiting" and view.end_as is None else None
        html = await (self.renderer.render_draft(view.id, text) if view.live else self.renderer.render(text))
        meta = view.meta
        return models.Turn(
            id=view.id,
            conversation=public_key(view.key),
            state=view.state,
            version=view.draft.version if view.draft is not None else 0,
            lang=view.lang,
            messages=[models.Message(**m._asdict()) for m in view.messages],
            steps=[await self._step(view.lang, *step) for step in drawn],
            html=html,
            text=text,
            status=body.get("status", "") if view.state == "running" else "",
            notes=meta.get("notes") or [],
            sources=meta.get("sources") or [],
            model=meta.get("model"),
            can_retry=view.state in ("failed", "stopped") and view.merged_into is None,
            can_stop=view.live and view.end_as is None,
            feedback=rating_of(view.rating),
            consent=models.ConsentAsked(**consent) if consent else None,
            reason=view.reason,
            merged_into=view.merged_into,
            retry_of=view.retry_of,
            created_at=view.created_at,
            finished_at=view.finished_at,
        )

    async def drawn(self, base: models.Turn, picture: Picture, draft: Draft) -> models.Turn:
        """A turn whose row gave `base`, with a newer draft."""
        text = sound(draft.text)
        steps = [await self._step(base.lang, s.key, s.tool, s.args, s.state, sound(s.result)) for s in draft.steps]
        return base.model_copy(
            update={
                "state": "running" if base.state == "queued" else base.state,
                "version": picture.version,
                "steps": steps,
                "text": text,
                "html": await self.renderer.render_draft(base.id, text),
                "status": draft.status,
            }
        )

    def _drawn(self, step: Mapping[str, Any]) -> tuple[str, str, dict[str, Any], StepState, str]:
        return step["key"], step["tool"], step["args"], step["state"], step["result"]

    async def _step(
        self, lang: Lang, key: str, tool: str, args: dict[str, Any], state: StepState, result: str
    ) -> models.Step:
        title = title_of(self.titles, tool, lang)
        html = await self.renderer.render(result)
        return models.Step(key=key, tool=tool, title=title, args=args, state=state, html=html)


def rating_of(value: int) -> Literal[1, -1, 0]:
    """A stored rating as the API has it."""
    return 1 if value > 0 else -1 if value < 0 else 0


def conversation(view: ConversationView | Found) -> models.Conversation:
    """A conversation in the list."""
    found = models.Found(snippet=view.snippet, turn_id=view.turn_id) if isinstance(view, Found) else None
    return models.Conversation(
        key=public_key(view.key), title=view.title, last_message_at=view.last_message_at, live=view.live, found=found
    )
