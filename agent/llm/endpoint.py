"""What is known about one OpenAI-compatible endpoint before it is called."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

#: Window that is assumed until a setting, a probe or a server's refusal tells the real one. The smallest in common use.
UNKNOWN_CONTEXT_TOKENS = 4096

#: Hexadecimal digits that tell one server from another.
_SERVER_DIGITS = 16

#: How messages become a prompt: `server` leaves it to the server's chat template; `chatml`, `baichuan2` and `raw` are
#: written by us and sent to `/v1/completions`; `auto` is `server` until the server says that it has no template.
ChatFormat = Literal["auto", "server", "chatml", "baichuan2", "raw"]
#: Whether the model thinks before it answers: `auto` sees it, `on` knows it, `off` asks it not to.
Reasoning = Literal["auto", "on", "off"]
#: Whether the model looks at pictures: `auto` finds out when the first one comes.
Vision = Literal["auto", "yes", "no"]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a call may take, in seconds.

    A first token may need minutes behind a long queue or a long prompt on a CPU; a server that has begun to write and
    then says nothing for a minute is broken.
    """

    #: To set up the connection, name look-up and TLS included.
    connect: float = 5.0
    #: From the call to the first token, reasoning included.
    first_token: float = 120.0
    #: From token to token.
    between_tokens: float = 60.0
    #: The whole call.
    total: float = 600.0

    @classmethod
    def around(cls, first_token: float) -> Timeouts:
        """Time-outs for a server that may take so many seconds for the first token, the others in proportion.

        A quick server, too, may write a long answer, so a whole call never has less time than by default.
        """
        return cls(first_token=first_token, between_tokens=first_token / 2, total=max(cls().total, 5 * first_token))


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint with everything that a call to it needs."""

    #: Address of the API, `/v1` included. May hold credentials, so it is never shown; `host` may be.
    base_url: str = field(repr=False)
    #: Sent as a bearer token; "" sends none.
    api_key: str = field(default="", repr=False)
    #: "" takes the first model that the server lists.
    model: str = ""
    #: Tokens that prompt and reply may have together; None asks the server.
    context_tokens: int | None = None
    #: For requests that set none themselves; None leaves it to the server.
    max_tokens: int | None = None
    #: For requests that set none themselves; None leaves it to the server.
    temperature: float | None = None
    #: Strings that end a reply.
    stop: tuple[str, ...] = ()
    #: Further fields of the request body, for what only some servers understand.
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    timeouts: Timeouts = field(default_factory=Timeouts)
    chat_format: ChatFormat = "auto"
    reasoning: Reasoning = "auto"
    #: Tokens that a model may think for, on top of those of its answer.
    reasoning_tokens: int = 2048
    vision: Vision = "auto"
    #: Name of the endpoint for people; "" takes the model's.
    name: str = ""
    #: Version of Azure's API, which is named with each call and takes the key in a header of its own; "" elsewhere.
    azure_version: str = ""

    @property
    def host(self) -> str:
        """Host and port, without credentials and path: fit to be shown."""
        parts = urlsplit(self.base_url)
        name = parts.hostname or ""
        name = f"[{name}]" if ":" in name else name
        return f"{name}:{parts.port}" if parts.port else name

    @property
    def server(self) -> str:
        """Names what decides its replies besides the model's name: its address, and what is set for every call. Holds
        nothing that is secret, and can't be read back.
        """
        settings = [self.address, self.chat_format, self.temperature, self.stop, self.extra_body, self.azure_version]
        written = json.dumps(settings, sort_keys=True, default=str)
        return hashlib.sha256(written.encode(errors="surrogatepass")).hexdigest()[:_SERVER_DIGITS]

    @property
    def address(self) -> str:
        """The address of the API without credentials: those are sent in a header."""
        parts = urlsplit(self.base_url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

    @property
    def credentials(self) -> tuple[str, str] | None:
        """User and password of the address, which a key takes the place of."""
        parts = urlsplit(self.base_url)
        if self.api_key or "@" not in parts.netloc:
            return None
        return unquote(parts.username or ""), unquote(parts.password or "")

    @property
    def root(self) -> str:
        """Where a server keeps what is its own and not OpenAI's, such as llama.cpp's `/props`."""
        return self.address.rstrip("/").removesuffix("/v1")
