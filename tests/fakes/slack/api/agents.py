"""agents.sessions.setStatus, .rename; assistant.threads.setStatus, .setTitle, .setSuggestedPrompts."""

from __future__ import annotations

from tests.fakes.slack import sizes
from tests.fakes.slack.api.call import Answer, Call, Method, invalid
from tests.fakes.slack.api.chat import thread_of
from tests.fakes.slack.streams import SESSION_STATUSES
from tests.fakes.slack.tiers import SPECIAL, TIER3, TIER4
from tests.fakes.slack.world import SlackError

UNSTOPPABLE = "missing_agent_session_stopped_event_subscription"


def set_session_status(call: Call) -> Answer:
    """Shows Stop while `processing`, but only to an app that would hear of it (facts 2.4)."""
    place, thread_ts = _thread(call)
    if call.text("status") not in SESSION_STATUSES:
        raise invalid("invalid status")
    session = call.slack.set_session(place, thread_ts, call.text("status"))
    session.title = _title(call) or session.title
    if "agent_session_stopped" in call.slack.app.events:
        return {}
    return {"warning": UNSTOPPABLE, "response_metadata": {"warnings": [UNSTOPPABLE]}}


def rename(call: Call) -> Answer:
    """A title of at most 200 characters (facts 2.2)."""
    place, thread_ts = _thread(call)
    call.required("title")
    session = call.slack.session(place, thread_ts)
    if session is None:
        raise SlackError("session_not_found")
    session.title = _title(call)
    return {}


def set_status(call: Call) -> Answer:
    """The line under the thread; "" clears it (facts 1.3)."""
    place = call.writable("channel_id")
    thread_ts = thread_of(call, place) or ""
    if len(call.structure("loading_messages") or ()) > sizes.LOADING_MESSAGES:
        raise invalid(f"no more than {sizes.LOADING_MESSAGES} items allowed: loading_messages")
    if "status" not in call.arguments:
        raise invalid("missing required field: status")
    call.slack.set_status(place.id, thread_ts, call.text("status"))
    return {}


def set_title(call: Call) -> Answer:
    """The title of an agent's thread; only in DMs."""
    place = call.writable("channel_id")
    if not place.direct:
        raise SlackError("channel_type_not_supported")
    thread_ts = thread_of(call, place) or ""
    call.required("title")
    session = call.slack.session(place.id, thread_ts) or call.slack.set_session(place.id, thread_ts, "active")
    session.title = _title(call)
    return {}


def set_prompts(call: Call) -> Answer:
    """Four at most; without thread_ts they are pinned at the top (facts 1.3, 2.4)."""
    place = call.writable("channel_id")
    if not place.direct:
        raise SlackError("channel_type_not_supported")
    prompts = call.structure("prompts")
    if not isinstance(prompts, list) or not 1 <= len(prompts) <= sizes.PROMPTS:
        raise invalid(f"must have 1 to {sizes.PROMPTS} items: prompts")
    if not all(isinstance(one, dict) and one.get("title") and one.get("message") for one in prompts):
        raise invalid("title and message are required: prompts")
    call.slack.prompts[place.id, thread_of(call, place) or ""] = prompts
    return {}


def _thread(call: Call) -> tuple[str, str]:
    if not call.slack.app.agent:
        raise SlackError("not_authorized")
    place = call.writable("channel_id")
    return place.id, thread_of(call, place) or ""


def _title(call: Call) -> str:
    title = call.text("title")
    if len(title) > sizes.SESSION_TITLE:
        raise invalid(f"must be less than {sizes.SESSION_TITLE + 1} characters: title")
    return title


METHODS = {
    "agents.sessions.setStatus": Method(set_session_status, TIER3, ("chat:write",)),
    "agents.sessions.rename": Method(rename, TIER3, ("chat:write",)),
    "assistant.threads.setStatus": Method(set_status, SPECIAL, ("chat:write", "assistant:write")),
    "assistant.threads.setTitle": Method(set_title, TIER4, ("assistant:write",)),
    "assistant.threads.setSuggestedPrompts": Method(set_prompts, TIER4, ("assistant:write",)),
}
