"""What plugins get, what they answer, and what a person is told when they fail."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.transport.access_cases import (
    V1,
    ClientAuthority,
    Plugin,
    access_to,
    failure,
    source_on,
    token,
)
from tests.transport.sides import AsyncSide, SyncSide

Side = SyncSide | AsyncSide


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> ClientAuthority:
    return ClientAuthority(tmp_path_factory.mktemp("ca"))


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
