"""Scrubs a body that arrives in chunks, where a secret may be cut in two.

A place is judged when its whole line is there: a watch is a stream of JSON documents, one a line, and a log one of
texts. So the bytes of the last, unfinished line are held back, at most `MAX_HELD` of them: a longer line is masked
whole, since it cannot be judged. A known secret of several lines holds back as many bytes as it has. Since masking
keeps lengths, the scrubbed bytes are cut into the same chunks as the original ones.
"""

from __future__ import annotations

import re
from typing import Final

from hodei_k8s_transport.channels.recording.scrub import Scrubber, is_json
from hodei_k8s_transport.channels.recording.scrub_text import Span, mask, unfinished_key

MAX_HELD: Final = 16 * 1024**2
"""Bytes. The API server's largest object is about a tenth of that."""

_LINE: Final = re.compile(rb"[^\n]*\n|[^\n]+")
_NOT_LINE_END: Final = re.compile(rb"[^\r\n]")


class StreamScrubber:
    """Takes a body's chunks; gives back its bytes, scrubbed, as soon as they can be judged."""

    def __init__(self, scrubber: Scrubber, content_type: str, kind: str = "", *, max_held: int = MAX_HELD) -> None:
        self._scrubber = scrubber
        self._content_type = content_type
        self._kind = kind
        self._max_held = max_held
        self._held = b""
        self._in_long_line = False

    def feed(self, chunk: bytes) -> bytes:
        """The bytes that are safe now, beginning where the last ones ended."""
        passed = self._pass_long_line(chunk)
        self._held += chunk[len(passed) :]
        ready = self._judge(self._complete_until())
        if len(self._held) > self._max_held:
            self._in_long_line = True
            ready += _NOT_LINE_END.sub(b"*", self._held)
            self._held = b""
        return passed + ready

    def finish(self) -> bytes:
        """The rest; the body ended, or nobody reads it any more."""
        return self._judge(len(self._held))

    def _pass_long_line(self, chunk: bytes) -> bytes:
        """The masked rest of a line that was too long."""
        if not self._in_long_line:
            return b""
        end = chunk.find(b"\n") + 1
        self._in_long_line = not end
        return _NOT_LINE_END.sub(b"*", chunk[: end or len(chunk)])

    def _complete_until(self) -> int:
        """How many of the held bytes no later byte can make secret."""
        cut = self._held.rfind(b"\n", 0, max(0, len(self._held) - self._scrubber.longest_lines)) + 1
        if not cut or is_json(self._content_type):
            return cut
        key = unfinished_key(self._held)
        spans = [*self._scrubber.known(self._held), Span(key, len(self._held) + 1)]
        while straddling := [span.start for span in spans if span.start < cut < span.end]:
            cut = self._held.rfind(b"\n", 0, min(straddling)) + 1
        return cut

    def _judge(self, length: int) -> bytes:
        data, self._held = self._held[:length], self._held[length:]
        if not is_json(self._content_type):
            data = mask(data, self._scrubber.in_text(data))
        return b"".join(self._scrubber.body(line, self._content_type, self._kind) for line in _LINE.findall(data))
