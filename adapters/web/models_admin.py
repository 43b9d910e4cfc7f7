"""The shapes of what is set on the page: profiles and the endpoints of models."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from adapters.web.models import ConversationKey

#: Where the page can set values: for all of its conversations, or for one.
PageScope = Literal["workspace", "channel"]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class _Response(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


# --- Profiles --------------------------------------------------------------------------------------------------------


class ProfileQuery(_Request):
    """Which conversation."""

    conversation: ConversationKey | None = Field(None, description="needed for the scope `channel`")


class VersionsQuery(ProfileQuery):
    """Which page of the versions."""

    limit: int = Field(20, ge=1, le=100)
    before: int | None = Field(None, ge=1, lt=1 << 31, description="`next` of the page before")


class CompareQuery(ProfileQuery):
    """Which versions."""

    a: int = Field(ge=0, lt=1 << 31, description="0: the time before the first one")
    b: int = Field(ge=0, lt=1 << 31)


class SaveProfile(_Request):
    """All that shall be set at this place from now on; what is left out, or null, is inherited."""

    values: dict[str, Any]
    based_on: int = Field(ge=0, lt=1 << 31, description="number of the newest version that was seen; 0 for none")


class RestoreProfile(_Request):
    """The version whose values come back."""

    version: int = Field(ge=0, lt=1 << 31, description="0: nothing is set any more")


class ProfileValue(_Response):
    """A value that holds."""

    name: str
    about: str = Field(description="what it is for, in one sentence")
    value: Any
    scope: str = Field(description="where it is set: default (the settings), workspace, channel or thread")
    version: int = Field(description="number of the version there; 0 for settings that no turn has run with yet")


class ToolChoice(_Response):
    """A tool that a profile may name."""

    name: str
    title: str


class Choices(_Response):
    """What values may be."""

    tools: list[ToolChoice]
    styles: list[str]
    max_iter_num: int = Field(description="the most that may be set")


class EffectiveProfile(_Response):
    """What holds in a conversation, or (without one) in a new one."""

    agent_name: str
    icon: str
    values: list[ProfileValue]
    choices: Choices


class ScopeProfile(_Response):
    """What is set at one place."""

    scope: PageScope
    version: int = Field(description="of the newest one; 0 while nothing was ever set")
    values: dict[str, Any] = Field(description="only what is set here")
    inherited: list[ProfileValue] = Field(description="what would hold if nothing were set here")
    warnings: list[str] = Field(description="values that have no effect at present, one sentence each")


class Version(_Response):
    """What was set at a place, from one change to the next."""

    version: int
    author: str
    at: datetime
    restores: int | None = Field(description="the version whose values it brought back")
    changed: list[str] = Field(description="names of the values that differ from the version before")


class Versions(_Response):
    """One page of a place's versions, the newest first."""

    versions: list[Version]
    next: int | None = Field(description="pass it as `before` to get the next page; null on the last one")


class Difference(_Response):
    """A value in two versions; null where it was inherited."""

    name: str
    before: Any
    after: Any


class Comparison(_Response):
    """What changed from version `a` to version `b`."""

    a: int
    b: int
    differences: list[Difference]


# --- Endpoints -------------------------------------------------------------------------------------------------------


class Endpoint(_Response):
    """An endpoint, without its key."""

    name: str
    host: str = Field(description='"" for the bundled model')
    model: str = Field(description='"" while unknown')
    source: Literal["settings", "page", "embedded"]
    priority: int = Field(description="lower is asked first")
    slots: int
    chat_format: str
    state: Literal["ok", "starting", "degraded", "down"]
    detail: str
    context_tokens: int | None
    structured: str
    reasoning: bool
    sees: bool | None = Field(description="whether it looks at pictures; null while nobody knows")
    tokenizer: bool
    demo: bool
    removable: bool


class EndpointList(_Response):
    """All endpoints, in the order in which they are asked."""

    endpoints: list[Endpoint]


class SaveEndpoint(_Request):
    """What a person enters about an endpoint. It is kept encrypted, and its key is never sent back."""

    base_url: str = Field(max_length=500, description="up to where `/chat/completions` begins")
    api_key: str = Field("", max_length=500, description='"" sends none')
    model: str = Field("", max_length=200, description='"" takes the first one that the server lists')
    priority: int = Field(10, ge=0, le=1_000)
    slots: int = Field(8, ge=1, le=1_000)
    context_tokens: int | None = Field(None, ge=256, le=100_000_000, description="null asks the server")
    chat_format: str = Field("auto", max_length=40)
    reasoning: str = Field("auto", max_length=40)
    vision: str = Field("auto", max_length=40)


class TestEndpoint(SaveEndpoint):
    """An endpoint to try; nothing of it is kept."""

    # Not a test of pytest's.
    __test__ = False

    name: str = Field("", max_length=80)


class TestLine(_Response):
    """One thing that was looked at."""

    __test__ = False

    name: str
    state: Literal["ok", "warning", "error"]
    text: str


class TestReport(_Response):
    """What a live test found."""

    __test__ = False

    lines: list[TestLine]
    models: list[str] = Field(description="names that the server lists")
    ok: bool
