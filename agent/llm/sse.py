"""Server-sent events, as far as the OpenAI API uses them: bytes in, the `data` of complete events out."""

from __future__ import annotations

#: An event larger than this is not one of a chat model.
MAX_EVENT_BYTES = 1 << 20

_OTHER_FIELDS = (b":", b"event:", b"id:", b"retry:")


class SseReader:
    """Reads one stream. Fields besides `data` mean nothing here."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        #: Whether the stream held lines that are no server-sent events.
        self.junk = False

    def feed(self, received: bytes) -> list[bytes]:
        """The events that these bytes complete. Raises `ValueError` when an event grows beyond all measure."""
        *lines, self._rest = (self._rest + received).split(b"\n")
        if len(self._rest) > MAX_EVENT_BYTES:
            raise ValueError("an event of more than 1 MiB")
        events: list[bytes] = []
        for line in lines:
            self._take(line, events)
        return events

    def finish(self) -> list[bytes]:
        """The event that the end of the stream completes, if any."""
        events: list[bytes] = []
        self._take(self._rest, events)
        self._take(b"", events)
        self._rest = b""
        return events

    def _take(self, line: bytes, events: list[bytes]) -> None:
        if line.endswith(b"\r"):
            line = line[:-1]
        if line.startswith(b"data:"):
            self._data.append(line[6:] if line.startswith(b"data: ") else line[5:])
        elif not line:
            if self._data:
                events.append(self._data[0] if len(self._data) == 1 else b"\n".join(self._data))
                self._data = []
        elif not line.startswith(_OTHER_FIELDS):
            self.junk = True
