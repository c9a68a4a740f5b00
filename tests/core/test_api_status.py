"""Whatever body an unsuccessful reply has, its meaning; messages are those of real 1.36 servers."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hodei_k8s_core.api_status import MESSAGE_LIMIT, Status, StatusCause, parse_status
from tests.core.thoroughness import examples
from tests.recordings import V1_36, load

PREDICATES = [
    "is_not_found", "is_namespace_missing", "is_gone", "is_expired", "is_conflict", "is_already_exists", "is_throttled",
    "is_server_fault", "is_unauthorized", "is_forbidden", "is_quota_exceeded", "is_admission_denied", "is_invalid",
    "is_retryable",
]  # fmt: skip
RBAC = (
    'pods is forbidden: User "system:serviceaccount:ns:sa" cannot create resource "pods" in API group "" in the '
    'namespace "ns"'
)
QUOTA = 'pods "p" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1'
UNDERSPECIFIED = 'pods "p" is forbidden: failed quota: q: must specify limits.cpu for: worker'
POD_SECURITY = 'pods "p" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true'
ACCOUNT = 'pods "p" is forbidden: error looking up service account ns/sa: serviceaccount "sa" not found'
LIMIT = 'pods "p" is forbidden: [maximum cpu usage per Container is 1, but limit is 2, ...]'
ENDING = 'pods "p" is forbidden: unable to create new content in namespace ns because it is being terminated'
WEBHOOK = 'admission webhook "x.io" denied the request: no'
POLICY = "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no"
BROKEN_WEBHOOK = 'Internal error occurred: failed calling webhook "x.io": failed to call webhook: Post "https://x": EOF'


@pytest.mark.parametrize(
    ("status", "holds"),
    [
        (Status(404, "NotFound", kind="pods", name="p"), {"is_not_found", "is_gone"}),
        (Status(404, "NotFound", kind="namespaces"), {"is_not_found", "is_namespace_missing"}),
        (Status(404, message="404 page not found"), set()),
        (Status(409), set()),
        (Status(409, "Conflict"), {"is_conflict"}),
        (Status(409, "AlreadyExists"), {"is_already_exists"}),
        (Status(422, "Invalid", causes=(StatusCause("metadata.uid"),)), {"is_conflict", "is_invalid"}),
        (Status(422, "Invalid", causes=(StatusCause("spec.containers[0].image"),)), {"is_invalid"}),
        (Status(410, "Expired"), {"is_expired"}),
        (Status(410, "Gone"), {"is_expired"}),
        (Status(410), {"is_expired"}),
        (Status(0, "Expired"), {"is_expired"}),
        (Status(429, "TooManyRequests"), {"is_throttled", "is_retryable"}),
        (Status(500, "InternalError", BROKEN_WEBHOOK), {"is_server_fault", "is_retryable"}),
        (Status(504, "Timeout"), {"is_server_fault", "is_retryable"}),
        (Status(401, "Unauthorized"), {"is_unauthorized"}),
        (Status(403), {"is_forbidden"}),
        (Status(403, "Forbidden", RBAC), {"is_forbidden"}),
        (Status(403, "Forbidden", 'forbidden: User "u" cannot get path "/readyz"'), {"is_forbidden"}),
        (Status(403, "Forbidden", QUOTA), {"is_quota_exceeded"}),
        (Status(403, "Forbidden", UNDERSPECIFIED), {"is_admission_denied"}),
        (Status(403, "Forbidden", POD_SECURITY), {"is_admission_denied"}),
        (Status(403, "Forbidden", ACCOUNT), {"is_admission_denied"}),
        (Status(403, "Forbidden", LIMIT), {"is_admission_denied"}),
        (Status(403, "Forbidden", ENDING), {"is_admission_denied"}),
        (Status(400, "", WEBHOOK), {"is_admission_denied"}),
        (Status(403, "Forbidden", WEBHOOK), {"is_admission_denied"}),
        (Status(422, "Invalid", f'pods "p" is forbidden: {POLICY}'), {"is_admission_denied", "is_invalid"}),
        (Status(400, "BadRequest"), set()),
    ],
)
def test_meaning(status, holds):
    assert {name for name in PREDICATES if getattr(status, name)} == holds


def test_a_whole_status():
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {"continue": "token"},
        "status": "Failure",
        "message": "nope",
        "reason": "Invalid",
        "details": {
            "name": "p",
            "kind": "Pod",
            "causes": [{"reason": "FieldValueRequired", "message": "Required value", "field": "spec.x"}],
            "retryAfterSeconds": 2,
        },
        "code": 422,
    }
    assert parse_status(msgspec.json.encode(body), code=422) == Status(
        code=422,
        reason="Invalid",
        message="nope",
        kind="Pod",
        name="p",
        causes=(StatusCause("spec.x", "FieldValueRequired", "Required value"),),
        retry_after=2.0,
        continue_token="token",
    )


def test_nulls_are_as_good_as_absent():
    body = b'{"kind":"Status","metadata":null,"message":null,"reason":null,"details":null,"code":500}'
    assert parse_status(body, code=500) == Status(500)
    assert parse_status(b'{"kind":"Status","details":{"causes":null}}', code=500) == Status(500)


def test_the_code_of_the_reply_counts_and_within_a_stream_the_own_one():
    body = b'{"kind":"Status","code":410,"reason":"Expired"}'
    assert parse_status(body, code=500).code == 500
    assert parse_status(body).code == 410
    assert parse_status(msgspec.Raw(body)).code == 410


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("1", 1.0), ("0", 0.0), ("120", 120.0), ("1.5", None), ("-1", None), ("", None), ("soon", None), ("٣", None),
     ("9999999999", None), ("Mon, 23 Nov 2026 14:01:19 GMT", None)],
)  # fmt: skip
def test_retry_after_in_a_header(header, seconds):
    assert parse_status(b"", code=503, headers=(("retry-after", header),)).retry_after == seconds


def test_the_header_counts_before_the_body():
    body = b'{"kind":"Status","details":{"retryAfterSeconds":9}}'
    assert parse_status(body, code=503, headers=(("retry-after", "1"),)).retry_after == 1.0
    assert parse_status(body, code=503).retry_after == 9.0


@pytest.mark.parametrize(
    ("data", "content_type", "said"),
    [
        (b"", "", "the reply has no body"),
        (b" \n\t", "text/plain", "the reply has no body"),
        (b"<html><h1>502 Bad Gateway</h1>", "text/html; charset=utf-8", "a page (text/html), not from Kubernetes"),
        (b"<?xml?>", "", "a page (unknown type)"),
        (b'{"kind":"Status","code":', "application/json", "not a Kubernetes Status (cut off"),
        (b'{"kind":"Pod"}', "application/json", "not a Kubernetes Status"),
        (b'{"kind":"Status","code":"500"}', "application/json", "not a Kubernetes Status"),
        (b"[]", "application/json", "not a Kubernetes Status"),
        (b"[" * 100_000, "application/json", "not a Kubernetes Status"),
        (b'{"a":' * 100_000, "application/json", "not a Kubernetes Status"),
        (b'{"kind":"Status","message":"\xff"}', "application/json", "not a Kubernetes Status"),
        (b"404 page not found\n", "text/plain", "404 page not found"),
        (b"[+]ping ok\n[-]etcd failed\nreadyz check failed", "text/plain", "[-]etcd failed"),
        (b"\xff\xfe\x00", "", "\ufffd"),
    ],
)
def test_a_body_that_is_no_status_gives_a_clear_message(data, content_type, said):
    headers = (("content-type", content_type),) if content_type else ()
    status = parse_status(data, code=502, headers=headers)
    assert said in status.message
    assert (status.code, status.reason) == (502, "")
    assert status.is_retryable


def test_a_long_message_is_cut_visibly():
    body = msgspec.json.encode({"kind": "Status", "message": "x" * 10_000})
    assert parse_status(body, code=500).message == "x" * MESSAGE_LIMIT + "…"
    assert len(parse_status(b"y" * 100_000, code=500).message) == MESSAGE_LIMIT + 1


@settings(max_examples=examples(100), deadline=None)
@given(
    data=st.one_of(st.binary(max_size=60), st.text(max_size=60).map(lambda text: text.encode("utf-8", "ignore"))),
    code=st.integers(0, 599),
)
def test_it_never_fails(data, code):
    assert parse_status(data, code=code).code == code


def test_a_status_that_is_cut_off_anywhere_still_says_something():
    body = (
        b'{"kind":"Status","message":"pods \\"p\\" not found","reason":"NotFound","details":{"kind":"pods"},"code":404}'
    )
    for cut in range(len(body)):
        status = parse_status(body[:cut], code=404)
        assert status.message
        assert not status.is_gone


def test_recorded_refusals():
    refused = [
        parse_status(step.response.body.encode(), code=step.response.status)
        for name in V1_36
        for step in load(f"v1.36/{name}").steps
        if step.response.status >= 400
    ]
    assert len(refused) > 10
    assert all(status.reason and status.message for status in refused)
    assert all(status.is_gone == (status.code == 404) for status in refused)


def test_how_it_reads():
    assert str(Status(404, "NotFound", "no")) == "404 NotFound: no"
    assert str(Status(502, "", "page")) == "502 without reason: page"
