"""The `openai` client of one endpoint, made on first use.

Importing `openai` and setting up TLS takes half a second, so both happen in a thread and never on the way to being
ready.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from agent.llm.endpoint import Endpoint

if TYPE_CHECKING:
    from openai import AsyncOpenAI

#: More than any number of slots: it is the pool of slots that queues calls, never the connector.
_MAX_CONNECTIONS = 512
#: Idle connections are kept only where making one costs a TLS handshake, because a call that is sent on a connection
#: that the server is just closing is lost: llama.cpp closes after every stream although it announces keep-alive, and
#: uvicorn (vLLM) after 5 idle seconds.
_KEEP_ALIVE_SECONDS = 3.0
_USER_AGENT = "kagentbot"


class Connection:
    """Makes the client once, whoever asks first."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._client: AsyncOpenAI | None = None
        self._lock = asyncio.Lock()

    async def client(self) -> AsyncOpenAI:
        """The client. Raises `ValueError` when the address can't be one."""
        if self._client is None:
            async with self._lock:
                if self._client is None:
                    self._client = await asyncio.to_thread(_build, self._endpoint)
        return self._client

    async def close(self) -> None:
        """Close all connections; calls that are under way fail."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()


async def get(client: AsyncOpenAI, endpoint: Endpoint, path: str) -> object:
    """What a server tells about itself at `path` (below the endpoint's address, or a whole one): JSON. Raises."""
    return await client.get(path, cast_to=object, options={"headers": _authorization(endpoint)})


async def post(client: AsyncOpenAI, endpoint: Endpoint, path: str, body: Mapping[str, Any]) -> object:
    """What a server answers to a small question: JSON, or None when it refuses it. Raises for all else."""
    import openai

    try:
        return await client.post(path, cast_to=object, body=body, options={"headers": _authorization(endpoint)})
    except openai.APIStatusError:
        return None


def _authorization(endpoint: Endpoint) -> dict[str, Any]:
    import openai

    return {} if endpoint.api_key else {"Authorization": openai.Omit()}


def _build(endpoint: Endpoint) -> AsyncOpenAI:
    import httpx2
    import openai

    keep = endpoint.base_url.startswith("https:")
    headers: dict[str, str | openai.Omit] = {
        "Accept": "application/json",
        # A compressor on the way would hold tokens back.
        "Accept-Encoding": "identity",
        "Content-Type": "application/json",
        "User-Agent": _USER_AGENT,
        "Authorization": f"Bearer {endpoint.api_key}" if endpoint.api_key else openai.Omit(),
        "Connection": "keep-alive" if keep else "close",
    }
    if endpoint.azure_version:
        # As the package's own AzureOpenAI does it.
        headers |= {"Authorization": openai.Omit(), "api-key": endpoint.api_key or openai.Omit()}

    class Client(openai.AsyncOpenAI):
        """Sends these headers and no others: none from the environment, nothing about this machine."""

        @property
        def default_headers(self) -> dict[str, str | openai.Omit]:
            return headers

        def _validate_headers(self, headers: object, custom_headers: object) -> None:
            # The package insists on a bearer token. Azure takes its key in another header, many servers take none.
            return

    client = Client(
        base_url=endpoint.address,
        # Never None and never "": then the package would look into the environment.
        api_key=endpoint.api_key or "none",
        admin_api_key="",
        organization="",
        project="",
        webhook_secret="",
        default_query={"api-version": endpoint.azure_version} if endpoint.azure_version else None,
        max_retries=0,
        # Reading has our own time limits, which know a token from a keep-alive comment.
        timeout=openai.Timeout(None, connect=endpoint.timeouts.connect, pool=endpoint.timeouts.connect),
        # The package's aiohttp transport takes half the CPU per chunk that its httpx one takes.
        http_client=openai.DefaultAioHttpClient(
            trust_env=False,
            # Left in the address, they would clash with the header that is made of them (aiohttp, `ClientRequest`).
            auth=endpoint.credentials,
            follow_redirects=False,
            timeout=openai.Timeout(None),
            limits=httpx2.Limits(
                max_connections=_MAX_CONNECTIONS, keepalive_expiry=_KEEP_ALIVE_SECONDS if keep else 0.0
            ),
        ),
    )
    # Loads the package's parts that a chat call needs.
    _ = client.chat.completions.with_streaming_response
    return client
