"""What must not be in a recording is not, wherever it stood, however it was written, wherever a chunk cut it."""

from __future__ import annotations

import base64
import itertools
import json
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hodei_k8s_core.effects import SILENCE
from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.http import Headers, Request
from hodei_k8s_core.secret import Secret
from hodei_k8s_transport.channels.recording.exchange import Bytes
from hodei_k8s_transport.channels.recording.exchange_file import load_recording
from hodei_k8s_transport.channels.recording.recording_channel import RecordingChannel
from hodei_k8s_transport.channels.recording.scrub import Scrubber
from hodei_k8s_transport.channels.recording.scrub_forms import forms_of
from hodei_k8s_transport.channels.recording.scrub_stream import StreamScrubber
from tests.transport.scripted_channel import Call, Reply, ScriptedChannel, outcomes

JSON = "application/json"
PATH = "/api/v1/namespaces/n/pods"
RECORDINGS = sorted((Path(__file__).parents[1] / "recordings" / "v1.36").glob("*.json"))

# Letters that no key of these documents is made of, and everything that some encoding treats in its own way.
secrets = st.text(st.sampled_from("QZXqzx79+/=\"\\<>&é€😀 \u2028\x7f%$'"), min_size=8, max_size=40)


def dumps(value: Any, *, escaped: bool = True) -> bytes:
    return json.dumps(value, ensure_ascii=escaped, separators=(",", ":")).encode()


def pod(value: str, name: str = "HODEI_OTP_TOKEN") -> dict[str, Any]:
    spec = {"containers": [{"name": "worker", "env": [{"name": "A", "value": "b"}, {"name": name, "value": value}]}]}
    applied = json.dumps({"kind": "Pod", "spec": spec})
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": applied, "hodei.io/creation-token": "keep-me"}
    fields: dict[str, Any] = {
        "f:spec": {"f:containers": {'k:{"name":"worker"}': {"f:env": {f'k:{{"name":"{name}"}}': {"f:value": {}}}}}}
    }
    managed = [{"manager": "kubectl", "fieldsV1": fields}]
    return {
        "kind": "Pod",
        "metadata": {"name": "w", "annotations": annotations, "managedFields": managed},
        "spec": spec,
    }


def shape(value: Any) -> Any:
    """Types, keys, lengths of lists; no texts, no numbers."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    return [shape(item) for item in value] if isinstance(value, list) else type(value)


def everything_in(path: Path) -> bytes:
    """The file, and every text that a reader of it can decode."""
    recording = load_recording(path)
    lines = [path.read_bytes()]
    for exchange in recording.exchanges:
        events = (exchange.asked, *exchange.followed)
        lines += [event.data for event in events if isinstance(event, Bytes)]
        lines.append(b"".join(event.data for event in exchange.followed if isinstance(event, Bytes)))
        lines.append(repr([msgspec.to_builtins(event) for event in events]).encode())
    return b"\n".join(lines)


def record(path: Path, requests: list[Call], replies: list[Reply], known: tuple[str, ...] = ()) -> None:
    channel = RecordingChannel(ScriptedChannel(replies), path, secrets=map(Secret, known))
    outcomes(channel, requests)
    channel.close()


def cut(data: bytes, places: list[int]) -> tuple[bytes, ...]:
    edges = [0, *sorted({place % (len(data) + 1) for place in places}), len(data)]
    return tuple(data[start:end] for start, end in itertools.pairwise(edges) if start < end)


@settings(max_examples=100, deadline=None)
@given(secrets, st.lists(st.integers(0, 5000), max_size=12), st.booleans(), st.booleans())
def test_an_env_token_is_in_no_recording_whatever_the_chunks(
    secret: str, places: list[int], escaped: bool, ends: bool
) -> None:
    assume(secret.strip("*") and not secret.isspace())
    document = pod(secret)
    watch = dumps({"type": "ADDED", "object": document}, escaped=escaped) + b"\n"
    log = f"2026-11-23T14:00:59Z my otp is {secret}\n".encode() * 2
    streams = [
        Reply(200, (("content-type", kind),), (*cut(data, places), *([b""] if ends else [])))
        for kind, data in ((JSON, watch * 2), ("text/plain", log))
    ]
    body = Reply(200, (("content-type", JSON),), (dumps({"kind": "PodList", "items": [document]}, escaped=escaped),))
    calls = [Call(Request("POST", PATH, (), (), dumps(document))), Call(Request("GET", PATH))]
    calls += [Call(Request("GET", PATH), (1.0,) * (len(stream.pieces))) for stream in streams]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "r"
        record(path, calls, [body, body, *streams])
        text = everything_in(path)
        assert not [form for form in forms_of(secret) if form in text]
        assert b"keep-me" in text
        exchanges = load_recording(path).exchanges
    assert shape(json.loads(exchanges[0].request.body)) == shape(document)
    for exchange, stream in zip(exchanges[2:], streams, strict=True):
        chunks = [event.data for event in exchange.followed if isinstance(event, Bytes)]
        pieces = [piece for piece in stream.pieces if isinstance(piece, bytes) and piece]
        assert [(len(chunk), chunk.count(b"\n")) for chunk in chunks] == [(len(p), p.count(b"\n")) for p in pieces]
    lines = b"".join(event.data for event in exchanges[2].followed if isinstance(event, Bytes)).splitlines()
    assert [shape(json.loads(line)) for line in lines] == [shape({"type": "", "object": document})] * 2


@settings(max_examples=100, deadline=None)
@given(
    st.text(st.sampled_from('QZXqzx79+/="\\<>&é€😀\n'), min_size=8, max_size=40),
    st.lists(st.integers(0, 5000), max_size=12),
    st.binary(max_size=2),
    st.sampled_from([JSON, "text/plain", ""]),
)
def test_a_declared_secret_is_in_no_recording_in_any_form(
    secret: str, places: list[int], before: bytes, kind: str
) -> None:
    assume(secret.strip())
    encoded = base64.b64encode(before + secret.encode()).decode()
    fields = {"a": secret, secret: 1, "deep": json.dumps({"b": [json.dumps(secret)]}), "c": encoded, "d": quote(secret)}
    data = dumps(fields) + b"\n" + dumps(fields, escaped=False) + b"\n"
    if kind != JSON:
        data += f"x {secret} y {json.dumps(secret)} {encoded} {json.dumps(json.dumps(secret))}\nz".encode()
    detail = f"no route to {secret}"
    failure = TransportError(TransportFault.PROXY, Delivery.ANSWERED, detail)
    headers: Headers = (("content-type", kind), ("x-debug", secret))
    stream = Reply(200, headers, (*cut(data, places), failure))
    call = Request("GET", "/x/" + quote(secret, safe=""), (("a", secret),), (("x-a", secret),), data)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "r"
        record(path, [Call(call, (1.0,) * len(stream.pieces))], [stream], (secret,))
        text = everything_in(path)
        (exchange,) = load_recording(path).exchanges
    assert not [form for form in forms_of(secret) if form in text]
    # Not by the scrubber's own list of forms: what stands between what the surroundings decide.
    for written in (encoded[4:-4], json.dumps(secret)[1:-1], json.dumps(json.dumps(secret))[3:-3], quote(secret)):
        assert written.encode() not in text
    chunks = [event.data for event in exchange.followed if isinstance(event, Bytes)]
    assert [len(chunk) for chunk in chunks] == [len(piece) for piece in cut(data, places)]
    if kind == JSON:
        assert [type(json.loads(line)) for line in b"".join(chunks).splitlines()] == [dict, dict]


@pytest.mark.parametrize("name", ["DB_PASSWORD", "my_secret", "AWS_ACCESS_KEY_ID", "GIT_CREDENTIALS", "token"])
def test_env_entries_with_a_secret_name_are_masked_where_they_stand(name: str) -> None:
    scrubbed = Scrubber().body(dumps(pod("pw", name)), JSON)
    worker = json.loads(scrubbed)
    assert worker["spec"]["containers"][0]["env"] == [{"name": "A", "value": "b"}, {"name": name, "value": "**"}]
    applied = json.loads(worker["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"])
    assert applied["spec"] == worker["spec"]
    assert worker["metadata"]["managedFields"] == pod("pw", name)["metadata"]["managedFields"]


DATA = {"a": "c2VjcmV0", "b": "cGFzcw=="}
HIDDEN = {"a": "********", "b": "********"}


@pytest.mark.parametrize(
    ("document", "masked"),
    [
        ({"data": DATA, "kind": "Secret"}, {"data": HIDDEN, "kind": "Secret"}),
        ({"kind": "Secret", "stringData": {"a": "b"}}, {"kind": "Secret", "stringData": {"a": "*"}}),
        ({"kind": "SecretList", "items": [{"data": DATA}]}, {"kind": "SecretList", "items": [{"data": HIDDEN}]}),
        (
            {"type": "ADDED", "object": {"kind": "Secret", "data": DATA}},
            {"type": "ADDED", "object": {"kind": "Secret", "data": HIDDEN}},
        ),
        (
            {"kind": "Pod", "x": json.dumps({"kind": "Secret", "data": DATA})},
            {"kind": "Pod", "x": json.dumps({"kind": "Secret", "data": HIDDEN})},
        ),
        ({"kind": "ConfigMap", "data": {"a": "b"}}, {"kind": "ConfigMap", "data": {"a": "b"}}),
        ({"kind": "TokenRequest", "status": {"token": "abc"}}, {"kind": "TokenRequest", "status": {"token": "***"}}),
        ({"kind": "TokenReview", "spec": {"token": "abc"}}, {"kind": "TokenReview", "spec": {"token": "***"}}),
        ({"users": [{"user": {"client-key-data": "abc"}}]}, {"users": [{"user": {"client-key-data": "***"}}]}),
        ({"token": {"a": ["b", 1]}}, {"token": {"a": ["*", 1]}}),
        ({"kind": "Secret", "data": "abc"}, {"kind": "Secret", "data": "***"}),
        ({"args": ["--token", "abc", "-v"]}, {"args": ["--token", "***", "-v"]}),
        ({"args": ["--token=abc def", "-v"]}, {"args": ["--token=*** def", "-v"]}),
        ({"args": ["run --api-key abc"]}, {"args": ["run --api-key ***"]}),
        ({"key": "node/x", "secretName": "creds"}, {"key": "node/x", "secretName": "creds"}),
    ],
)
def test_kubernetes_objects_are_masked_by_their_own_rules(document: Any, masked: Any) -> None:
    assert json.loads(Scrubber().body(dumps(document), JSON)) == masked


def test_a_patch_of_a_secret_does_not_say_its_kind() -> None:
    merge = Request("PATCH", "/api/v1/namespaces/n/secrets/s", body=dumps({"data": DATA}))
    operations = [{"op": "add", "path": "/data/a", "value": "abc"}]
    patch = Request("PATCH", "/api/v1/namespaces/n/secrets/s", body=dumps(operations))
    assert json.loads(Scrubber().request(merge).body) == {"data": HIDDEN}
    assert json.loads(Scrubber().request(patch).body) == [{**operations[0], "value": "***"}]


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("token: abc", "token: ***"),
        ("    client-key-data: YWJj", "    client-key-data: ****"),
        ("  password: 'a b'  # x", "  password: '***'  # x"),
        ("Authorization: Basic YWJj", "Authorization: **********"),
        ("curl -H 'authorization: Bearer abcdef' x", "curl -H 'authorization: *************' x"),
        ("use bearer abcdefgh now", "use bearer ******** now"),
        ("got eyJhbGciOi.eyJpc3MiOi.c2ln here", "got " + "*" * 26 + " here"),
        ("postgres://u:abc@host/db", "postgres://u:***@host/db"),
        ('{"level":1,"api_key":"a\\"c"} x', '{"level":1,"api_key":"****"} x'),
        ('said {\\"token\\": \\"a b\\"} x', 'said {\\"token\\": \\"***\\"} x'),
        ('t {"name":"X_TOKEN","value":"abc"} x', 't {"name":"X_TOKEN","value":"***"} x'),
        ("-----BEGIN RSA PRIVATE KEY-----\nab\n-----END", "-----BEGIN RSA PRIVATE KEY-----\n**\n-----END"),
        ('pods "x-token": the UID differs', 'pods "x-token": the UID differs'),
        ('secret "creds" not found', 'secret "creds" not found'),
        ("nothing to see: here", "nothing to see: here"),
    ],
)
def test_texts_are_masked_by_what_surrounds_a_secret(text: str, masked: str) -> None:
    assert Scrubber().text(text) == masked
    assert Scrubber().text(masked) == masked


def test_headers_and_parameters_that_prove_an_identity_are_masked_whole() -> None:
    request = Request("GET", "/x", (("token", "abc"), ("limit", "5")), (("authorization", "abc"), ("accept", "a/b")))
    shown = Scrubber().request(request)
    assert shown.headers == (("authorization", "***"), ("accept", "a/b"))
    assert shown.query == (("token", "***"), ("limit", "5"))


def test_numbers_stay_numbers() -> None:
    scrubbed = Scrubber([Secret("123456")]).body(b'{"pin": 123456, "ratio": 0.51234567, "x": -1234561}', JSON)
    assert scrubbed == b'{"pin": 999999, "ratio": 0.59999997, "x": -9999991}'


def test_a_learned_value_that_is_no_secret_masks_nothing_else() -> None:
    scrubber = Scrubber()
    document = {**pod("hodei-workers", "SECRET_NAMESPACE"), "namespace": "hodei-workers"}
    shown = scrubber.request(Request("POST", "/api/v1/namespaces/hodei-workers/pods", body=dumps(document)))
    assert b'"value":"*************"' in shown.body
    assert scrubber.text("in hodei-workers") == "in hodei-workers"


def test_json_that_was_cut_off_is_masked_but_for_what_it_was() -> None:
    assert Scrubber().body(b'{"kind":"Secret","da\n', JSON) == b"{" + b"*" * 19 + b"\n"
    assert Scrubber().body(b"<html>\n", JSON) == b"<*****\n"
    assert Scrubber().body(b"[INFO] ok", "text/plain") == b"[INFO] ok"
    assert Scrubber().body(b"[" * 100_000, JSON) == b"[" + b"*" * 99_999
    assert Scrubber().body(b"", JSON) == b""


@pytest.mark.parametrize("depth", [100, 500, 900])
def test_deep_documents_are_scrubbed_or_masked_whole(depth: int) -> None:
    document = b'{"a":' * depth + b'{"token":"abc"}' + b"}" * depth
    scrubbed = Scrubber().body(document, JSON)
    assert b"abc" not in scrubbed
    assert len(scrubbed) == len(document)


def test_a_declared_secret_that_is_a_document_is_masked_inside_its_structure() -> None:
    key = '{"type":"service","id":12,"on":true}'
    scrubbed = Scrubber([Secret(key)]).body(b'{"key-file":' + key.encode() + b',"type":"kept","n":12}', JSON)
    assert scrubbed == b'{"key-file":{"****":"*******","**":99,"**":true},"type":"kept","n":12}'


def test_a_match_that_begins_inside_an_escape_masks_the_whole_escape() -> None:
    assert Scrubber([Secret("u003cabc")]).body(rb'{"a":"x\u003cabc"}', JSON) == b'{"a":"x*********"}'


def test_a_lone_surrogate_is_no_text_and_its_document_is_masked() -> None:
    assert Scrubber().body(rb'{"a":"\ud800"}', JSON) == b"{" + b"*" * 13


def test_a_line_that_is_too_long_to_be_judged_is_masked_whole() -> None:
    stream = StreamScrubber(Scrubber(), "text/plain", max_held=10)
    assert stream.feed(b"ab\ncdefghijkl") == b"ab\n"
    assert stream.feed(b"m") == b"*" * 11
    assert stream.feed(b"nop") == b"***"
    assert stream.feed(b"q\nrs\nt") == b"*\nrs\n"
    assert stream.finish() == b"t"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 400), max_size=8))
def test_a_private_key_in_a_log_is_masked_wherever_it_is_cut(places: list[int]) -> None:
    key = "".join(f"{'MII' + 'abcdefghij' * 6}\n" for _ in range(3))
    log = f"start\n-----BEGIN PRIVATE KEY-----\n{key}-----END PRIVATE KEY-----\nafter\n".encode()
    stream = StreamScrubber(Scrubber(), "text/plain")
    scrubbed = b"".join(map(stream.feed, cut(log, places)))
    assert scrubbed + stream.finish() == log.replace(b"MII", b"***").replace(b"abcdefghij", b"*" * 10)


@pytest.mark.skipif(not RECORDINGS, reason="no recordings of a real API server are here")
@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_what_real_servers_answer_without_secrets_is_not_touched(path: Path) -> None:
    for exchange in load_recording(path).exchanges:
        for event in exchange.followed:
            if isinstance(event, Bytes):
                assert Scrubber().body(event.data, "") == event.data


def test_silence_keeps_its_place_between_chunks_that_are_held_back(tmp_path: Path) -> None:
    stream = Reply(200, (), (b"a", SILENCE, b"b", SILENCE, SILENCE, b"c\nd", b""))
    record(tmp_path / "r", [Call(Request("GET", "/log"), (1.0,) * 7)], [stream])
    (exchange,) = load_recording(tmp_path / "r").exchanges
    told = [event.data if isinstance(event, Bytes) else type(event).__name__ for event in exchange.followed]
    assert told == ["Head", b"a", "Silent", b"b", "Silent", b"c\nd", "End"]
