"""The file of a recording: JSON lines, written as things happen, so that a crash leaves everything before it.

    {"format":"hodei-k8s exchanges","version":1}
    {"event":"request","exchange":1,"at":0.0,"text":"…","how":"send","timeout":30.0,"method":"POST","path":"/api/v1/…"}
    {"event":"response","exchange":1,"at":0.021,"text":"…","status":201,"headers":[["content-type","application/json"]]}
    {"event":"request","exchange":2,"at":0.03,"how":"open","timeout":10.0,"method":"GET","path":"…","query":[["watch","1"]]}
    {"event":"head","exchange":2,"at":0.034,"status":200}
    {"event":"chunk","exchange":2,"at":0.035,"text":"…"}
    {"event":"silence","exchange":2,"at":30.1,"seconds":30.0}
    {"event":"failure","exchange":2,"at":31.0,"fault":"interrupted","delivery":"answered"}

The other events are `end` (of a body, clean), `close` (by the caller, before the end) and `abandoned` (the caller was
cancelled before the reply). Bytes are `text`, or `base64` where they are not UTF-8; fields with their default are left
out. Lines of one exchange are in order; those of several mix. A chunk is written when it is scrubbed, which can be
later than its `at`. Readers ignore fields that they do not know; another `version` is refused.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Final

import msgspec

from hodei_k8s_transport.channels.recording.exchange import Asked, Event, Exchange, InvalidRecording, Recording
from hodei_k8s_transport.channels.recording.recorded_scenario import parse_scenario

FORMAT: Final = "hodei-k8s exchanges"
VERSION: Final = 1


class _Header(msgspec.Struct, frozen=True):
    format: str
    version: int


_events: Final = msgspec.json.Decoder(Event)


class ExchangeWriter:
    """Writes a recording, line by line; safe to share by threads. The file is made anew, readable by its owner only.

    Raises:
        OSError: the file cannot be made, from the constructor; what failed later is raised by `close`, so that a full
            disk does not change what is recorded.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._lock = threading.Lock()
        self._failure: OSError | None = None
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        self._write(_Header(FORMAT, VERSION))

    def write(self, *events: Event) -> None:
        """Add lines. After a failure and after `close` this does nothing."""
        for event in events:
            self._write(event)

    def close(self) -> None:
        """End the file. Raises `OSError` when not all lines could be written."""
        with self._lock:
            self._file.close()
            failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _write(self, line: msgspec.Struct) -> None:
        data = memoryview(msgspec.json.encode(line) + b"\n")
        with self._lock:
            try:
                while data and not self._file.closed and self._failure is None:
                    data = data[self._file.write(data) :]
            except OSError as error:
                self._failure = error


def load_recording(path: str | os.PathLike[str]) -> Recording:
    """Read what a `RecordingChannel` wrote, or one of the documents that `recorded_scenario` describes.

    A last line without its end is left out: the recording was cut off there.

    Raises:
        InvalidRecording: the file is neither.
        OSError: it cannot be read.
    """
    data = Path(path).read_bytes()
    try:
        return parse_recording(data)
    except InvalidRecording as error:
        raise InvalidRecording(f"{os.fspath(path)}: {error}") from None


def parse_recording(data: bytes) -> Recording:
    """The recording in these bytes. Raises `InvalidRecording`."""
    first, _, rest = data.partition(b"\n")
    try:
        header = msgspec.json.decode(first, type=_Header)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return parse_scenario(data)
    if header.format != FORMAT:
        raise InvalidRecording(f"the format is {header.format!r}, not {FORMAT!r}")
    if header.version != VERSION:
        raise InvalidRecording(f"version {header.version} of the format; this release reads version {VERSION}")
    return _grouped(rest.split(b"\n")[:-1])


def _grouped(lines: list[bytes]) -> Recording:
    asked: dict[int, Asked] = {}
    followed: dict[int, list[Event]] = {}
    for number, line in enumerate(lines, start=2):
        try:
            event: Event = _events.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise InvalidRecording(f"line {number}: {error}") from None
        if isinstance(event, Asked) == (event.exchange in asked):
            problem = "is asked twice" if isinstance(event, Asked) else "was not asked"
            raise InvalidRecording(f"line {number}: exchange {event.exchange} {problem}")
        if isinstance(event, Asked):
            asked[event.exchange], followed[event.exchange] = event, []
        else:
            followed[event.exchange].append(event)
    return Recording(tuple(Exchange(asked[key], tuple(followed[key])) for key in sorted(asked)))
