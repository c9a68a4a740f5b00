"""Log records as JSON, one object a line. What the record was given as `extra={"fields": {...}}` stands beside."""

from __future__ import annotations

import logging
from typing import Any, Final, TextIO

import msgspec

from hodei_k8s_core.server_time import format_rfc3339

ROOT: Final = "hodei_k8s"


class JsonFormatter(logging.Formatter):
    """`time` (RFC 3339), `level`, `logger`, `message`, the fields, and `error` with what an exception says."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "time": format_rfc3339(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        told |= getattr(record, "fields", {})
        if record.exc_info:
            told["error"] = self.formatException(record.exc_info)
        return msgspec.json.encode(told, enc_hook=str).decode()


def log_as_json(stream: TextIO, level: int = logging.INFO) -> None:
    """From now on what the library logs goes to `stream` as JSON, and nowhere else."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger(ROOT)
    logger.handlers[:] = [handler]
    logger.setLevel(level)
    logger.propagate = False
