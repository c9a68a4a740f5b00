"""What an audit found on the way from settings to permissions: plain values, ready for JSON."""

from __future__ import annotations

import enum

import msgspec


class AuditStatus(enum.Enum):
    """How one step went. WARNING: workers can run, and something is less than it could be."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


class AuditStep(msgspec.Struct, frozen=True):
    """One step. `detail`: what was found; `mend`: what to do about it, or ""."""

    name: str
    status: AuditStatus
    detail: str = ""
    mend: str = ""


class AuditReport(msgspec.Struct, frozen=True):
    """The steps in order, and `target`: what was connected to and by whose word, or "" where that is not known."""

    steps: tuple[AuditStep, ...]
    target: str = ""

    @property
    def is_sound(self) -> bool:
        """No step failed: workers can run."""
        return not self.failures

    @property
    def failures(self) -> tuple[AuditStep, ...]:
        """The steps that failed."""
        return tuple(step for step in self.steps if step.status is AuditStatus.FAILED)
