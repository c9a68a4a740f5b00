"""The audit's first request: how far each kind of trouble lets it get, what is said of it, and what mends it."""

from __future__ import annotations

import pytest

from hodei_k8s_core.access.certificate import Certificate
from hodei_k8s_core.access.target import Target
from hodei_k8s_core.connection_mends import MENDS
from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.http import Response
from hodei_k8s_core.operations.audit_connection import has_bad_dates, with_served_certificate
from tests.core.audits import (
    FORBIDDEN,
    MAYBE_SENT,
    NOT_SENT,
    OK,
    SKIPPED,
    WARNING,
    Known,
    audited,
    only_first,
    statuses,
    step,
)
from tests.core.told import WALL, reply, status_reply


def fails_at(fault: TransportFault, delivery: Delivery) -> str:
    report = only_first(TransportError(fault, delivery, "why"))
    failed = report.failures
    assert len(failed) == 1
    assert failed[0].mend == MENDS[fault]
    assert "why" in failed[0].detail
    position = [one.name for one in report.steps].index(failed[0].name)
    assert {one.status for one in report.steps[position + 1 :]} == {SKIPPED}
    return str(failed[0].name)


@pytest.mark.parametrize(
    ("fault", "delivery", "name"),
    [
        (TransportFault.NAME_NOT_FOUND, NOT_SENT, "name"),
        (TransportFault.REFUSED, NOT_SENT, "tcp"),
        (TransportFault.UNREACHABLE, NOT_SENT, "tcp"),
        (TransportFault.PROXY, NOT_SENT, "tcp"),
        (TransportFault.NO_CONNECTION_FREE, NOT_SENT, "tcp"),
        (TransportFault.TIMEOUT, NOT_SENT, "tcp"),
        (TransportFault.TIMEOUT, MAYBE_SENT, "api"),
        (TransportFault.CLOSED, NOT_SENT, "tls"),
        (TransportFault.CLOSED, MAYBE_SENT, "api"),
        (TransportFault.TLS_UNTRUSTED, NOT_SENT, "tls"),
        (TransportFault.TLS_NAME, NOT_SENT, "tls"),
        (TransportFault.TLS_EXPIRED, NOT_SENT, "tls"),
        (TransportFault.TLS, NOT_SENT, "tls"),
        (TransportFault.NOT_TLS, NOT_SENT, "tls"),
        (TransportFault.MALFORMED, Delivery.ANSWERED, "api"),
        (TransportFault.MALFORMED, NOT_SENT, "api"),
        (TransportFault.TOO_LARGE, Delivery.ANSWERED, "api"),
        (TransportFault.INTERRUPTED, MAYBE_SENT, "api"),
        (TransportFault.CREDENTIALS, NOT_SENT, "authentication"),
    ],
)
def test_a_connection_that_fails_says_how_far_it_got(fault: TransportFault, delivery: Delivery, name: str) -> None:
    assert fails_at(fault, delivery) == name


def test_every_fault_has_its_mend() -> None:
    assert set(MENDS) == set(TransportFault)


def test_without_credentials_nothing_is_known_of_the_way() -> None:
    report = only_first(TransportError(TransportFault.CREDENTIALS, NOT_SENT, "the plugin x is not there"))
    assert {statuses(report)[name] for name in ("name", "tcp", "tls", "api")} == {"skipped"}
    assert "the plugin x is not there" in step(report, "authentication").detail


@pytest.mark.parametrize(
    ("answer", "failing", "words"),
    [
        (Response(200, (("content-type", "text/html"),), b"<html>log in</html>"), "api", "not a SelfSubjectReview"),
        (reply({"status": None}), "api", "not a SelfSubjectReview"),
        (Response(302, (("location", "https://login.example"),)), "api", "no Kubernetes API server"),
        (Response(404, (), b"404 page not found"), "api", "no Kubernetes API server"),
        (Response(401, (("content-type", "text/html"),), b"<html>"), "api", "a proxy in between"),
        (Response(503, (), b"no healthy upstream"), "api", "no healthy upstream"),
        (status_reply(401, "Unauthorized", "Unauthorized"), "authentication", "does not accept the credentials"),
        (status_reply(500, "InternalError", "etcd"), "authentication", "could not answer"),
        (
            status_reply(403, "Forbidden", f'users "boss" {FORBIDDEN} cannot impersonate resource "users"'),
            "authentication",
            "may not impersonate",
        ),
        (
            status_reply(403, "Forbidden", 'x is forbidden: User "system:anonymous" cannot create resource "x"'),
            "authentication",
            "no credentials were sent",
        ),
    ],
)
def test_what_answers_is_no_api_server_or_does_not_know_us(answer: Response, failing: str, words: str) -> None:
    report = only_first(answer)
    assert [one.name for one in report.failures] == [failing]
    assert words in step(report, failing).detail
    assert statuses(report)["tcp"] == "ok"
    assert statuses(report)["version"] == "skipped"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (status_reply(404, "NotFound", "the server could not find the requested resource"), "does not say who we are"),
        (reply({"status": {"userInfo": {"username": "system:anonymous"}}}), "takes us for nobody"),
    ],
)
def test_not_to_know_who_we_are_is_no_obstacle(answer: Response, words: str) -> None:
    report = audited(answer)
    assert report.is_sound
    assert step(report, "authentication").status is WARNING
    assert words in step(report, "authentication").detail


def test_a_user_without_groups() -> None:
    report = audited(reply({"status": {"userInfo": {"username": "me"}}}))
    assert step(report, "authentication").detail == "the server takes us for me"


def test_plain_http_is_a_warning() -> None:
    report = audited(target=Target("http://k8s.example", "x"))
    assert step(report, "tls").status is WARNING
    assert report.is_sound


def test_through_a_proxy_name_and_connection_are_the_proxys() -> None:
    report = audited(target=Target("https://k8s.example", "x", "http://proxy:3128"))
    assert "that of the proxy http://proxy:3128" in step(report, "tcp").detail
    assert report.target == "https://k8s.example through http://proxy:3128, as x"


def test_a_channel_of_the_hosts_own() -> None:
    report = audited(target=None)
    assert report.target == ""
    assert step(report, "configuration").detail == "a channel that the host made"
    assert step(report, "tls").status is OK


DAY = 86_400.0


def with_certificate(expires_in: float) -> Target:
    ours = Certificate("the client certificate (x)", WALL + expires_in)
    return Target("https://k8s.example", "x", certificates=Known(own=ours))


@pytest.mark.parametrize(
    ("expires_in", "status", "words"),
    [
        (8 * DAY, OK, "takes us for me (groups: a, b)"),
        (6 * DAY, WARNING, "the client certificate (x) expires on 2023-11-20T22:13:20Z"),
        (-1.0, WARNING, "the client certificate (x) expired on 2023-11-14T22:13:19Z"),
    ],
)
def test_a_client_certificate_that_ends_soon_is_a_warning(expires_in: float, status: object, words: str) -> None:
    report = audited(target=with_certificate(expires_in))
    known = step(report, "authentication")
    assert known.status is status
    assert words in known.detail
    assert ("client certificate" in known.mend) is (status is WARNING)
    assert {statuses(report)[name] for name in ("name", "tcp", "tls", "api", "namespace")} == {"ok"}


@pytest.mark.parametrize(
    ("failure", "failing"),
    [
        (status_reply(401, "Unauthorized", "Unauthorized"), "authentication"),
        (TransportError(TransportFault.TLS, NOT_SENT, "alert"), "tls"),
        (TransportError(TransportFault.TLS, MAYBE_SENT, "alert"), "tls"),
        (TransportError(TransportFault.CLOSED, MAYBE_SENT, "cut"), "api"),
    ],
)
def test_a_refusal_names_the_client_certificate_that_has_expired(failure: object, failing: str) -> None:
    expired = step(only_first(failure, target=with_certificate(-1.0)), failing)
    assert expired.mend == "the client certificate (x) expired on 2023-11-14T22:13:19Z: get a new one"
    assert "expire" not in step(only_first(failure, target=with_certificate(DAY)), failing).mend


def test_what_it_does_not_explain_is_told_as_ever() -> None:
    refused = step(only_first(TransportError(TransportFault.REFUSED, NOT_SENT), target=with_certificate(-1.0)), "tcp")
    assert refused.mend == MENDS[TransportFault.REFUSED]


def test_the_servers_certificate_is_told_where_its_dates_are_wrong() -> None:
    expired = TransportError(TransportFault.TLS_EXPIRED, NOT_SENT, "certificate has expired")
    assert has_bad_dates(expired)
    assert not has_bad_dates(TransportError(TransportFault.TLS_NAME, NOT_SENT))
    report = only_first(expired)
    dated = with_served_certificate(report, Certificate("the server's certificate", 0.0), WALL)
    assert step(dated, "tls").detail == (
        f"{step(report, 'tls').detail}; the server's certificate expired on 1970-01-01T00:00:00Z"
    )
    assert [one for one in dated.steps if one.name != "tls"] == [one for one in report.steps if one.name != "tls"]
    assert with_served_certificate(report, None, WALL) is report
