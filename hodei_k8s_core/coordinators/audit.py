"""The whole way from settings to permissions, step by step: what an operator asks when nothing works.

First one request alone: it says whether there is a way to the API server at all. Then the questions, many at once; a
Pod is tried only in a namespace that is in order. The one item is the report, its steps in the table's order whatever
came first.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

import msgspec

from hodei_k8s_core.access.target import Target
from hodei_k8s_core.audit_report import AuditReport, AuditStatus, AuditStep
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.coordinators.coordinator import Action, Start
from hodei_k8s_core.errors import ConnectionFailed, ProviderClosed, ProviderError, TransportError
from hodei_k8s_core.operations.audit import STAND_IN, Introduction, ask, introduce
from hodei_k8s_core.operations.audit_connection import has_bad_dates, steps_of_first_reply
from hodei_k8s_core.operations.audit_questions import Question, configured_questions, failed_finding
from hodei_k8s_core.permissions import Feature, configured_features
from hodei_k8s_core.spec.worker_spec import WorkerSpec

AUDIT_TIMEOUT: Final = 10.0
"""Seconds for each request."""
AT_ONCE: Final = 8
"""Questions under way at the same time: few enough for any API server's priority and fairness."""
INTRODUCTION: Final = "introduction"
NAMESPACE: Final = "namespace"


class Audit:
    """Look at every step from the configuration to the permissions; what is wrong is in the report, not raised.

    `spec`: a worker that must be accepted (nothing is stored); None for a small one. `features`: whose permissions are
    asked for; None for those that the settings turn on. `target`: what the connection was made from, for the report.
    """

    def __init__(
        self,
        config: KubernetesConfig,
        *,
        target: Target | None = None,
        spec: WorkerSpec | None = None,
        features: Collection[Feature] | None = None,
    ) -> None:
        self.met_bad_dates = False
        """The server showed a certificate that has expired, or is not valid yet: `with_served_certificate`."""
        self._config = config
        self._target = target
        self._spec = STAND_IN if spec is None else spec
        self._features = configured_features(config) if features is None else features
        self.timeout = min(AUDIT_TIMEOUT, config.request_timeout)
        self._way: list[AuditStep] = []
        self._questions: dict[str, Question] = {}
        self._waiting: list[Question] = []
        self._running: set[str] = set()
        self._steps: dict[str, AuditStep] = {}
        self._error: Exception | None = None
        self._is_taken = False

    @property
    def is_over(self) -> bool:
        """Every step has its finding, or there will be no report."""
        return self._is_known or self._error is not None

    @property
    def error(self) -> Exception | None:
        return self._error

    def begin(self) -> Sequence[Action]:
        """Find out whether there is a way at all."""
        return [Start(INTRODUCTION, introduce(self.timeout))]

    def has_room(self, child: str) -> bool:  # noqa: ARG002 - nothing of a child waits here
        return True

    def emitted(self, child: str, items: Sequence[Any]) -> Sequence[Action]:  # noqa: ARG002 - a question has a result
        return ()

    def ended(self, child: str, result: Any) -> Sequence[Action]:
        """The introduction, or the outcomes of a question."""
        if child == INTRODUCTION:
            return self._introduced(result)
        is_cut = any(isinstance(outcome, TransportError) for outcome in result)
        return self._found(self._questions[child].judge(result), is_cut=is_cut)

    def failed(self, child: str, error: Exception) -> Sequence[Action]:
        """Whatever a question meets is what was found; a bug, or a provider that is closed, is told to the caller."""
        if child == INTRODUCTION or isinstance(error, ProviderClosed) or not isinstance(error, ProviderError):
            self._error = error
            return ()
        return self._found(AuditStep(child, *failed_finding(error)), is_cut=isinstance(error, ConnectionFailed))

    def take(self) -> tuple[str, Sequence[AuditReport]] | None:
        """The report, once."""
        if self._is_taken or not self._is_known:
            return None
        self._is_taken = True
        configuration = AuditStep("configuration", AuditStatus.OK, str(self._target or "a channel that the host made"))
        found = (self._steps[name] for name in self._questions)
        return INTRODUCTION, [AuditReport((configuration, *self._way, *found), str(self._target or ""))]

    @property
    def _is_known(self) -> bool:
        return bool(self._way) and len(self._steps) == len(self._questions)

    def _introduced(self, introduction: Introduction) -> Sequence[Action]:
        spec = msgspec.structs.replace(self._spec, worker_id=introduction.worker_id)
        self._waiting = list(configured_questions(self._config, spec, self._features))
        self._questions = {question.name: question for question in self._waiting}
        self._way = steps_of_first_reply(introduction.outcome, self._target, introduction.now)
        self.met_bad_dates = has_bad_dates(introduction.outcome)
        if any(step.status is AuditStatus.FAILED for step in self._way):
            self._skip(self._waiting, "there is no way to the API server")
        return self._start()

    def _found(self, step: AuditStep, *, is_cut: bool) -> Sequence[Action]:
        self._running.discard(step.name)
        self._steps[step.name] = step
        if is_cut:
            self._skip(self._waiting, "the connection failed at a step before")
        elif step.name == NAMESPACE and step.status is AuditStatus.FAILED:
            needing = [question for question in self._waiting if question.needs_namespace]
            self._skip(needing, "the namespace must be in order first")
        return self._start()

    def _skip(self, questions: Sequence[Question], why: str) -> None:
        self._steps |= {question.name: question.skipped(why) for question in questions}
        self._waiting = [question for question in self._waiting if question.name not in self._steps]

    def _start(self) -> Sequence[Action]:
        """As many as there is room for, those first that stand first."""
        ready = [question for question in self._waiting if not question.needs_namespace or NAMESPACE in self._steps]
        chosen = ready[: AT_ONCE - len(self._running)]
        self._running |= {question.name for question in chosen}
        self._waiting = [question for question in self._waiting if question.name not in self._running]
        return [Start(question.name, ask(question, self.timeout)) for question in chosen]
