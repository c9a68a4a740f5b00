"""What schedulers and registries say, in their words of several versions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hodei_k8s_core.diagnosis import SchedulerMessage, parse_scheduler_message
from hodei_k8s_core.diagnosis.registry_message import PullFailure, read_pull_failure
from hodei_k8s_core.verdict import Blame, CauseKind, SchedulingCause
from tests.core.thoroughness import examples

HELPLESS = "preemption: 0/{n} nodes are available: {n} Preemption is not helpful for scheduling."

CAUSES = [
    ("Insufficient cpu", CauseKind.CAPACITY),
    ("Insufficient nvidia.com/gpu", CauseKind.CAPACITY),
    ("Too many pods", CauseKind.CAPACITY),
    ("node(s) did not have enough free storage", CauseKind.CAPACITY),
    ("cannot allocate all claims", CauseKind.CAPACITY),
    ("node(s) didn't match Pod's node affinity/selector", CauseKind.SELECTOR),
    ("node(s) didn't match scheduler-enforced node affinity", CauseKind.SELECTOR),
    ("node(s) didn't match the requested node name", CauseKind.SELECTOR),
    ("node(s) had untolerated taint {gpu: }", CauseKind.TAINT),
    ("node(s) had untolerated taint(s)", CauseKind.TAINT),
    ("node(s) had taint {dedicated: ci}, that the pod didn't tolerate", CauseKind.TAINT),
    ("node(s) had untolerated taint {node.kubernetes.io/unreachable: }", CauseKind.NODE_TROUBLE),
    ("node(s) had untolerated taint {node.kubernetes.io/unschedulable: }", CauseKind.CORDONED),
    ("node(s) were unschedulable", CauseKind.CORDONED),
    ("node(s) didn't match pod anti-affinity rules", CauseKind.SPREAD),
    ("node(s) didn't match pod topology spread constraints", CauseKind.SPREAD),
    ("node(s) didn't have free ports for the requested pod ports", CauseKind.PORT),
    ("node(s) had volume node affinity conflict", CauseKind.VOLUME),
    ("node(s) exceed max volume count", CauseKind.VOLUME),
    ("node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)", CauseKind.VOLUME),
    ("node(s) had the moon in the wrong place", CauseKind.OTHER),
]


@pytest.mark.parametrize(("reason", "kind"), CAUSES, ids=[reason for reason, _ in CAUSES])
def test_the_kind_of_a_cause(reason: str, kind: CauseKind) -> None:
    text = f"0/7 nodes are available: 3 {reason}, 4 Insufficient memory. {HELPLESS.format(n=7)}"
    said = parse_scheduler_message(text)
    assert said.causes == (
        SchedulingCause(kind, reason, 3),
        SchedulingCause(CauseKind.CAPACITY, "Insufficient memory", 4),
    )
    assert (said.nodes, said.never_fit, said.fits_nowhere) == (7, 7, True)


TAINTED = "0/4 nodes are available: 1 Insufficient cpu, 3 node(s) had untolerated taint {a: b}. "
PREEMPTION = (
    "preemption: 0/4 nodes are available: 1 No preemption victims found for incoming pod, "
    "3 Preemption is not helpful for scheduling.."
)
MESSAGES = [
    (
        f"{TAINTED}{PREEMPTION}",
        (4, ["1 Insufficient cpu", "3 node(s) had untolerated taint {a: b}"], 3),
    ),
    (
        "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, " + HELPLESS.format(n=1),
        (1, ["1 Insufficient cpu"], 1),
    ),
    (
        '0/1 nodes are available: persistentvolumeclaim "absent" not found. not found',
        (1, ['persistentvolumeclaim "absent" not found'], None),
    ),
    (
        "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. " + HELPLESS.format(n=3),
        (3, ["pod has unbound immediate PersistentVolumeClaims"], 3),
    ),
    ("0/2 nodes are available: 1 Insufficient cpu, 1 Insufficient memory.", (2, None, None)),
    ("0/2 nodes are available", (2, [], None)),
    ("no nodes available to schedule pods", (0, [], None)),
    ("running PreBind plugin: binding volumes: deadline exceeded", (None, None, None)),
    ("", (None, [], None)),
    ("0/2 nodes are available: 2 x. preemption: not eligible due to preemptionPolicy=Never.", (2, ["2 x"], None)),
]


@pytest.mark.parametrize(("text", "wanted"), MESSAGES)
def test_a_message_is_taken_apart(text: str, wanted: tuple[int | None, list[str] | None, int | None]) -> None:
    nodes, causes, never_fit = wanted
    said = parse_scheduler_message(text)
    assert (said.nodes, said.never_fit) == (nodes, never_fit)
    assert said.causes if causes is None else [str(cause) for cause in said.causes] == causes


@settings(max_examples=examples(200), deadline=None)
@given(st.text() | st.text().map(lambda text: f"0/3 nodes are available: {text}"))
def test_any_text_is_a_message(text: str) -> None:
    said = parse_scheduler_message(text)
    assert isinstance(said, SchedulerMessage)
    assert all(cause.reason for cause in said.causes)


def test_a_full_node_is_no_hopeless_one() -> None:
    text = "0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are available: 2 No preemption victims"
    assert not parse_scheduler_message(text).fits_nowhere


PREFIX = 'failed to pull and unpack image "r.io/denied/x:404": failed to resolve reference "r.io/denied/x:404": '
PULLS = [
    (f"{PREFIX}r.io/denied/x:404: not found", Blame.IMAGE, True),
    ("rpc error: code = NotFound desc = manifest for x not found: manifest unknown", Blame.IMAGE, True),
    ("rpc error: code = Unknown desc = reading manifest 1 in r.io/x: name unknown", Blame.IMAGE, True),
    (
        f"{PREFIX}pull access denied, repository does not exist or may require authorization: insufficient_scope",
        *(Blame.IMAGE, True),
    ),
    ("no match for platform in manifest: not found", Blame.IMAGE, True),
    ("no matching manifest for linux/arm64 in the manifest list entries", Blame.IMAGE, True),
    (f"{PREFIX}unexpected status from HEAD request to https://r.io/v2/x: 403 Forbidden", Blame.CONFIGURATION, True),
    (f"{PREFIX}pulling from host failed with status code [manifests 1]: 401 Unauthorized", Blame.CONFIGURATION, True),
    ("denied: requested access to the resource is denied unauthorized: authentication required", Blame.IMAGE, True),
    (f'{PREFIX}failed to do request: Head "https://r.io": dial tcp: lookup r.io: no such host', Blame.PLATFORM, False),
    (f'{PREFIX}failed to do request: Head "https://r.io": dial tcp 1.2.3.4:443: i/o timeout', Blame.PLATFORM, False),
    ("dial tcp 127.0.0.1:1: connect: connection refused", Blame.PLATFORM, False),
    ("failed to fetch anonymous token: Get \"https://r.io/token\": EOF", Blame.PLATFORM, False),
    ("429 Too Many Requests - Server message: toomanyrequests: your pull rate limit", Blame.PLATFORM, False),
    ("write /var/lib/x: no space left on device", Blame.PLATFORM, False),
    ("tls: failed to verify certificate: x509: certificate signed by unknown authority", Blame.OPERATOR, False),
    ("unexpected status code: 503 Service Unavailable", Blame.PLATFORM, False),
    ('Back-off pulling image "r.io/not found/x"', Blame.IMAGE, False),
    ("", Blame.IMAGE, False),
]  # fmt: skip


@pytest.mark.parametrize(("message", "blame", "refused"), PULLS, ids=[text[-40:] for text, _, _ in PULLS])
def test_what_a_failed_pull_means(message: str, blame: Blame, refused: bool) -> None:
    failure = read_pull_failure(message)
    assert isinstance(failure, PullFailure)
    assert (failure.blame, failure.refused) == (blame, refused)
