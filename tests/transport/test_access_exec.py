"""Exec plugins as real programs: one run at a time, however many wait; none blocks the loop or outlives its run."""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from hodei_k8s_core.errors import TransportError, TransportFault
from hodei_k8s_core.http import Request
from hodei_k8s_transport.access.async_credentials import RefreshingAsyncCredentials
from hodei_k8s_transport.access.connect import async_credentials, build_endpoint, sync_credentials
from hodei_k8s_transport.channels.async_httpx_channel import AsyncHttpxChannel
from hodei_k8s_transport.channels.httpx_channel import HttpxChannel
from hodei_k8s_transport.testing.loopback import LoopbackServer, reply
from hodei_k8s_transport.testing.never_suspending import NeverSuspending
from tests.transport.access_cases import V1, ClientAuthority, Clock, Plugin, access_to, expiring_at, is_alive, source_on
from tests.transport.sides import AsyncSide, SyncSide

Side = SyncSide | AsyncSide


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> ClientAuthority:
    return ClientAuthority(tmp_path_factory.mktemp("ca"))


def token(credential: Any) -> str:
    return str(dict(credential.headers)["authorization"]).removeprefix("Bearer ")


async def failure(call: Callable[[], Coroutine[Any, Any, Any]]) -> TransportError:
    with pytest.raises(TransportError) as caught:
        await call()
    assert caught.value.fault is TransportFault.CREDENTIALS
    return caught.value


def test_an_answer_without_end_counts_for_ever(side: Side, tmp_path: Path) -> None:
    plugin, clock = Plugin(tmp_path), Clock()
    source = source_on(side, access_to(tmp_path, plugin.user), clock)

    async def main() -> None:
        first = await source.current()
        clock.now += 10**9
        assert await source.current() is first
        assert token(first) == "t-1"

    side.run(main)
    assert plugin.runs == 1


def test_an_answer_that_has_expired_is_asked_for_again(side: Side, tmp_path: Path) -> None:
    clock = Clock(1_795_514_399.0)
    plugin = Plugin(tmp_path, status=expiring_at("2026-11-24T10:00:00Z"))
    source = source_on(side, access_to(tmp_path, plugin.user), clock)

    async def main() -> None:
        first = await source.current()
        assert await source.current() is first
        clock.now += 2
        second = await source.current()
        assert (token(first), token(second)) == ("t-1", "t-2")
        assert second.generation == first.generation + 1

    side.run(main)
    assert plugin.runs == 2


def test_fifty_callers_that_are_refused_cost_one_run(side: Side, tmp_path: Path) -> None:
    plugin = Plugin(tmp_path, then="sleep 0.2")
    source = source_on(side, access_to(tmp_path, plugin.user))

    async def main() -> None:
        refused = (await source.current()).generation

        async def renew() -> Any:
            return await source.renew(refused)

        renewed = await side.gather(*[renew] * 50)
        assert {token(credential) for credential in renewed} == {"t-2"}
        assert await source.renew(refused) is await source.current()

    side.run(main)
    assert plugin.runs == 2


def test_fifty_first_callers_cost_one_run(side: Side, tmp_path: Path) -> None:
    plugin = Plugin(tmp_path, first="sleep 0.2")
    source = source_on(side, access_to(tmp_path, plugin.user))

    async def main() -> None:
        async def current() -> Any:
            return await source.current()

        assert {token(credential) for credential in await side.gather(*[current] * 50)} == {"t-1"}

    side.run(main)
    assert plugin.runs == 1


def test_fifty_requests_that_are_refused_cost_one_run(side: Side, server: LoopbackServer, tmp_path: Path) -> None:
    """Through the real channels. (Credentials go to https only, so the endpoint is changed to the plain server.)"""
    plugin = Plugin(tmp_path, then="sleep 0.2")
    good, refused = reply(200, b"yes"), reply(401, b"no")
    server.route("/x", lambda request: good if request.headers.get("authorization") == "Bearer t-2" else refused)
    access = access_to(tmp_path, plugin.user)
    endpoint = type(build_endpoint(access, {}))(server.url)

    async def ask(channel: Any) -> None:
        async def send() -> int:
            return int((await channel.send(Request("GET", "/x"), 20.0)).status)

        assert await side.gather(*[send] * 50) == [200] * 50

    async def main() -> None:
        if isinstance(side, SyncSide):
            channel = HttpxChannel(endpoint, sync_credentials(access))
            await ask(NeverSuspending(channel))
            channel.close()
        else:
            async with AsyncHttpxChannel(endpoint, async_credentials(access)) as async_channel:
                await ask(async_channel)

    side.run(main)
    assert plugin.runs == 2


def test_those_who_waited_for_a_run_share_its_failure(side: Side, tmp_path: Path) -> None:
    plugin = Plugin(tmp_path, first="sleep 0.5; exit 3")
    source = source_on(side, access_to(tmp_path, plugin.user))

    async def main() -> None:
        async def fail() -> TransportError:
            return await failure(source.current)

        failures = await side.gather(*[fail] * 10)
        assert {error.detail.rpartition(": ")[2] for error in failures} == {
            f"the program {tmp_path}/plugin failed with exit code 3"
        }
        assert plugin.runs == 1
        assert token(await source.current()) == "t-2"  # who comes later tries again

    side.run(main)


def test_the_loop_goes_on_while_a_plugin_runs(async_side: AsyncSide, tmp_path: Path) -> None:
    plugin = Plugin(tmp_path, first="sleep 1")
    source = source_on(async_side, access_to(tmp_path, plugin.user))
    beats: list[float] = []

    async def beat() -> None:
        while True:
            beats.append(time.monotonic())
            await anyio.sleep(0.02)

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(beat)
            await source.current()
            tasks.cancel_scope.cancel()

    async_side.run(main)
    assert beats[-1] - beats[0] > 0.8
    assert max(later - earlier for earlier, later in itertools.pairwise(beats)) < 0.5


def test_a_cancelled_runner_hands_over_and_leaves_no_process(async_side: AsyncSide, tmp_path: Path) -> None:
    child = tmp_path / "child"
    plugin = Plugin(tmp_path, first=f"sleep 60 & echo $! >{child}; wait")
    source: RefreshingAsyncCredentials = source_on(async_side, access_to(tmp_path, plugin.user))
    tokens: list[str] = []

    async def wait() -> None:
        tokens.append(token(await source.current()))

    async def main() -> None:
        with anyio.fail_after(15):
            async with anyio.create_task_group() as waiters, anyio.create_task_group() as runner:
                runner.start_soon(source.current)
                assert await async_side.until(lambda: child.exists() and child.read_text() != "")
                waiters.start_soon(wait)
                waiters.start_soon(wait)
                await anyio.sleep(0.05)
                runner.cancel_scope.cancel()

    async_side.run(main)
    assert tokens == ["t-2", "t-2"]
    assert plugin.runs == 2
    assert not is_alive(plugin.process_ids[0])
    assert not is_alive(int(child.read_text()))


def test_an_interrupt_stops_a_plugin_with_what_it_started(tmp_path: Path) -> None:
    """Ctrl-C reaches only us: the plugin has a session of its own."""
    child = tmp_path / "child"
    plugin = Plugin(tmp_path, first=f"sleep 60 & echo $! >{child}; kill -INT {os.getpid()}; wait")
    source = sync_credentials(access_to(tmp_path, plugin.user))

    with pytest.raises(KeyboardInterrupt):
        source.current()

    assert not is_alive(plugin.process_ids[0])
    assert not is_alive(int(child.read_text()))
    assert token(source.current()) == "t-2"


def test_a_plugin_that_takes_too_long_is_stopped_with_what_it_started(side: Side, tmp_path: Path) -> None:
    child = tmp_path / "child"
    plugin = Plugin(tmp_path, first=f"sleep 60 & echo $! >{child}; wait")
    source = source_on(side, access_to(tmp_path, plugin.user), timeout=0.5)

    async def main() -> None:
        start = time.monotonic()
        error = await failure(source.current)
        assert error.detail.endswith("exec: the program did not end in time, and was stopped")
        assert time.monotonic() - start < 10
        assert await side.until(lambda: not is_alive(int(child.read_text())))

    side.run(main)
    assert not is_alive(plugin.process_ids[0])


HUNTER = "echo hunter; echo hunter >&2; "


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (HUNTER + "exit 3", "failed with exit code 3"),
        (HUNTER + "kill -9 $$", "failed with exit code -9"),
        (HUNTER, "is not an ExecCredential: Expected `object`, got `str`"),
        ("head -c 3000000 /dev/zero", "the program's answer is too long to be a credential"),
        ("exec sleep 0", "the program's answer is empty"),
    ],
)
def test_what_a_plugin_wrote_is_in_no_error(
    side: Side, tmp_path: Path, answer: str, problem: str, caplog: pytest.LogCaptureFixture
) -> None:
    source = source_on(side, access_to(tmp_path, Plugin(tmp_path, answer=answer).user))

    async def main() -> None:
        error = await failure(source.current)
        assert problem in error.detail
        assert "hunter" not in str(error) + repr(error.__cause__) + repr(error.__context__) + caplog.text

    side.run(main)


def test_a_program_that_is_missing_shows_how_to_get_it(side: Side, tmp_path: Path) -> None:
    user = Plugin(tmp_path).user
    user["exec"] |= {"command": "hodei-no-such-plugin", "installHint": "get it \x1b[1mhere"}
    source = source_on(side, access_to(tmp_path, user))

    async def main() -> None:
        error = await failure(source.current)
        assert error.detail.endswith(
            "the program hodei-no-such-plugin does not exist, is not on PATH, or may not be executed\nget it [1mhere"
        )

    side.run(main)


@pytest.mark.parametrize(
    ("stanza", "content"),
    [({"env": [{"name": "A=B", "value": "c"}]}, "#!/bin/sh\n"), ({}, "no program at all\0")],
)
def test_a_program_that_cannot_be_started(side: Side, tmp_path: Path, stanza: dict[str, Any], content: str) -> None:
    user = Plugin(tmp_path).user
    (tmp_path / "plugin").write_text(content)
    source = source_on(side, access_to(tmp_path, {"exec": {**user["exec"], **stanza}}))

    async def main() -> None:
        assert (await failure(source.current)).detail.endswith("exec: the program cannot be started")

    side.run(main)


def test_what_a_plugin_gets(side: Side, tmp_path: Path) -> None:
    """Its environment, its arguments, and nothing on standard input."""
    told = tmp_path / "told"
    plugin = Plugin(tmp_path, first=f'cat; echo "$KUBERNETES_EXEC_INFO|$EXTRA|$PATH|$*" >{told}')
    plugin.user["exec"] |= {"args": ["a b", "c"], "env": [{"name": "EXTRA", "value": "more"}]}
    source = source_on(side, access_to(tmp_path, plugin.user))

    async def main() -> None:
        assert token(await source.current()) == "t-1"

    side.run(main)
    info, extra, path, arguments = told.read_text().strip().split("|")
    assert json.loads(info) == {"kind": "ExecCredential", "apiVersion": V1, "spec": {"interactive": False}}
    assert (extra, path, arguments) == ("more", os.environ["PATH"], "a b c")


def pair_answer(authority: ClientAuthority, *names: str) -> str:
    """The Nth run answers with the Nth pair, the last one again and again."""
    cases = ""
    for index, name in enumerate(names, start=1):
        certificate, key = authority.client_pair(name)
        status = {"clientCertificateData": certificate.read_text(), "clientKeyData": key.read_text()}
        text = json.dumps({"kind": "ExecCredential", "apiVersion": V1, "status": status})
        label = index if index < len(names) else "*"
        cases += f"{label}) cat <<'END'\n{text}\nEND\n;;\n"
    return f"case $n in\n{cases}esac"


def test_a_certificate_from_a_plugin(side: Side, tmp_path: Path, authority: ClientAuthority) -> None:
    """A server that wants one accepts it; the same certificate again keeps the context, another one changes it."""
    plugin = Plugin(tmp_path, answer=pair_answer(authority, "one", "one", "two"))
    source = source_on(side, access_to(tmp_path, plugin.user, {"certificate-authority": str(authority.certificate)}))

    async def main() -> None:
        first = await source.current()
        again = await source.renew(first.generation)
        other = await source.renew(again.generation)
        assert first.headers == ()
        assert first.tls is not None
        assert again.tls is first.tls
        assert other.tls is not first.tls
        assert authority.client_name_seen(first.tls) == "one"
        assert authority.client_name_seen(other.tls) == "two"

    side.run(main)


def test_a_certificate_from_a_plugin_that_is_none(side: Side, tmp_path: Path) -> None:
    status = '{"clientCertificateData": "hunter", "clientKeyData": "hunter"}'
    answer = f"""echo '{{"kind": "ExecCredential", "apiVersion": "{V1}", "status": {status}}}'"""
    source = source_on(side, access_to(tmp_path, Plugin(tmp_path, answer=answer).user))

    async def main() -> None:
        error = await failure(source.current)
        assert error.detail.endswith("exec: there is no certificate in PEM in it")
        assert "hunter" not in str(error) + repr(error.__context__)

    side.run(main)


@pytest.fixture
def standard_input() -> Iterator[int]:
    """Whatever is put in place of file descriptor 0 is taken away again."""
    saved = os.dup(0)
    yield 0
    os.dup2(saved, 0)
    os.close(saved)


def test_a_plugin_that_is_not_interactive_reads_nothing_of_ours(
    side: Side, tmp_path: Path, standard_input: int
) -> None:
    told = tmp_path / "told"
    source = source_on(side, access_to(tmp_path, Plugin(tmp_path, first=f"cat >{told}").user))
    ours, end = os.pipe()
    os.write(end, b"ours")
    os.close(end)
    os.dup2(ours, standard_input)

    async def main() -> None:
        await source.current()

    side.run(main)
    assert told.read_text() == ""
    assert os.read(ours, 10) == b"ours"
    os.close(ours)


@pytest.mark.parametrize("mode", ["IfAvailable", "Always"])
def test_an_interactive_plugin_reads_from_the_terminal(
    side: Side, tmp_path: Path, standard_input: int, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    told = tmp_path / "told"
    plugin = Plugin(tmp_path, first=f'read answer; echo "$answer $KUBERNETES_EXEC_INFO" >{told}')
    plugin.user["exec"]["interactiveMode"] = mode
    source = source_on(side, access_to(tmp_path, plugin.user))
    person, terminal = os.openpty()
    os.dup2(terminal, standard_input)
    monkeypatch.setattr("sys.stdin", os.fdopen(terminal))
    os.write(person, b"word\n")

    async def main() -> None:
        await source.current()

    side.run(main)
    answer, _, info = told.read_text().partition(" ")
    assert (answer, json.loads(info)["spec"]) == ("word", {"interactive": True})
    sys.stdin.close()
    os.close(person)
