"""Tokens, bundles and certificates in files change while we run; a reader may see them half-written."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hodei_k8s_core.access.cluster_access import ClusterAccess
from hodei_k8s_core.access.credentials import READ_INTERVAL
from hodei_k8s_core.errors import ConfigurationError, TransportError, TransportFault
from hodei_k8s_transport.access.connect import async_credentials, sync_credentials
from tests.transport.access_cases import ClientAuthority, Clock, access_to, handshake, source_on
from tests.transport.sides import AsyncSide, SyncSide

Side = SyncSide | AsyncSide


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> ClientAuthority:
    return ClientAuthority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def other_authority(tmp_path_factory: pytest.TempPathFactory) -> ClientAuthority:
    return ClientAuthority(tmp_path_factory.mktemp("other-ca"))


def authorization(credential: Any) -> str:
    return str(dict(credential.headers)["authorization"])


def token_file(directory: Path, content: str = "one\n", **user: Any) -> tuple[Path, Callable[[], ClusterAccess]]:
    path = directory / "token"
    path.write_text(content)
    return path, lambda: access_to(directory, {"tokenFile": "token", **user})


def test_a_token_that_does_not_change(side: Side, tmp_path: Path) -> None:
    source = source_on(side, access_to(tmp_path, {"token": "t"}), clock := Clock())

    async def main() -> None:
        first = await source.current()
        clock.now += 10 * READ_INTERVAL
        assert await source.current() is first
        assert authorization(first) == "Bearer t"
        assert await source.renew(first.generation) is None

    side.run(main)


def test_a_name_and_a_password(side: Side, tmp_path: Path) -> None:
    source = source_on(side, access_to(tmp_path, {"username": "Aladdin", "password": "open sesame"}))

    async def main() -> None:
        assert authorization(await source.current()) == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="

    side.run(main)


def test_nobody(side: Side, tmp_path: Path) -> None:
    source = source_on(side, access_to(tmp_path, {}))

    async def main() -> None:
        credential = await source.current()
        assert (credential.headers, credential.tls) == ((), None)
        assert await source.renew(credential.generation) is None

    side.run(main)


def test_a_rotated_token_counts_after_a_while(side: Side, tmp_path: Path) -> None:
    path, access = token_file(tmp_path)
    source = source_on(side, access(), clock := Clock())

    async def main() -> None:
        first = await source.current()
        path.write_text("two")
        clock.now += READ_INTERVAL - 1
        assert await source.current() is first
        clock.now += 1
        second = await source.current()
        assert (authorization(first), authorization(second)) == ("Bearer one", "Bearer two")
        assert second.generation == first.generation + 1
        clock.now += READ_INTERVAL
        assert (await source.current()).generation == second.generation

    side.run(main)


def test_a_clock_that_is_set_back_delays_nothing(side: Side, tmp_path: Path) -> None:
    path, access = token_file(tmp_path)
    source = source_on(side, access(), clock := Clock())

    async def main() -> None:
        await source.current()
        path.write_text("two")
        clock.now -= 10**6
        assert authorization(await source.current()) == "Bearer two"

    side.run(main)


def test_a_refused_token_is_read_again_at_once(side: Side, tmp_path: Path) -> None:
    path, access = token_file(tmp_path)
    source = source_on(side, access(), Clock())

    async def main() -> None:
        first = await source.current()
        assert await source.renew(first.generation) is None
        path.write_text("two")

        async def renew() -> Any:
            return await source.renew(first.generation)

        renewed = await side.gather(*[renew] * 20)
        assert {(authorization(credential), credential.generation) for credential in renewed} == {
            ("Bearer two", first.generation + 1)
        }

    side.run(main)


@pytest.mark.parametrize("change", [lambda path: path.unlink(), lambda path: path.write_text(" \n")])
def test_the_last_good_token_counts_while_there_is_none(
    side: Side, tmp_path: Path, change: Callable[[Path], Any], caplog: pytest.LogCaptureFixture
) -> None:
    path, access = token_file(tmp_path, "hunter")
    source = source_on(side, access(), clock := Clock())

    async def main() -> None:
        first = await source.current()
        change(path)
        clock.now += READ_INTERVAL
        assert await source.current() is not first
        assert (await source.current()).headers == first.headers
        path.write_text("two")
        clock.now += READ_INTERVAL
        assert authorization(await source.current()) == "Bearer two"

    side.run(main)
    assert "the last good token counts" in caplog.text
    assert 'users["u"].user.tokenFile' in caplog.text
    assert "hunter" not in caplog.text


def test_without_a_good_token_there_is_no_credential(side: Side, tmp_path: Path) -> None:
    path, access = token_file(tmp_path, "a b\nhunter")
    source = source_on(side, access(), Clock())

    async def main() -> None:
        with pytest.raises(TransportError) as caught:
            await source.current()
        assert caught.value.fault is TransportFault.CREDENTIALS
        assert caught.value.detail == f'{tmp_path}/config: users["u"].user.tokenFile: {path} holds no token'
        path.write_text("one")
        assert authorization(await source.current()) == "Bearer one"

    side.run(main)


def test_the_token_beside_the_file_counts_until_there_is_one(side: Side, tmp_path: Path) -> None:
    path, access = token_file(tmp_path, "", token="given")
    source = source_on(side, access(), clock := Clock())

    async def main() -> None:
        assert authorization(await source.current()) == "Bearer given"
        path.write_text("one")
        clock.now += READ_INTERVAL
        assert authorization(await source.current()) == "Bearer one"

    side.run(main)


def test_a_rotated_bundle_is_trusted_after_a_while(
    side: Side, tmp_path: Path, authority: ClientAuthority, other_authority: ClientAuthority
) -> None:
    bundle = tmp_path / "ca.crt"
    shutil.copy(authority.certificate, bundle)
    access = access_to(tmp_path, {"token": "t"}, {"certificate-authority": "ca.crt"})
    source = source_on(side, access, clock := Clock())

    async def main() -> None:
        assert (await source.current()).tls is None  # the endpoint's own
        bundle.write_text("half-writ")
        clock.now += READ_INTERVAL
        assert (await source.current()).tls is None
        bundle.write_text(authority.certificate.read_text() + other_authority.certificate.read_text())
        clock.now += READ_INTERVAL
        rotated = await source.current()
        assert rotated.generation == 2
        assert rotated.tls is not None
        handshake(rotated.tls, other_authority.server_context())
        clock.now += READ_INTERVAL
        assert (await source.current()).tls is rotated.tls

    side.run(main)


def test_a_rotated_client_certificate_is_shown_after_a_while(
    side: Side, tmp_path: Path, authority: ClientAuthority, caplog: pytest.LogCaptureFixture
) -> None:
    one, two = authority.client_pair("one"), authority.client_pair("two")
    shutil.copy(one[0], tmp_path / "tls.crt")
    shutil.copy(one[1], tmp_path / "tls.key")
    access = access_to(
        tmp_path,
        {"client-certificate": "tls.crt", "client-key": "tls.key"},
        {"certificate-authority": str(authority.certificate)},
    )
    source = source_on(side, access, clock := Clock())

    async def main() -> None:
        first = await source.current()
        shutil.copy(two[0], tmp_path / "tls.crt")  # not yet its key
        clock.now += READ_INTERVAL
        assert (await source.current()).generation == first.generation
        assert "certificate and key do not belong together" in caplog.text
        shutil.copy(two[1], tmp_path / "tls.key")
        rotated = await source.renew(first.generation)
        assert rotated.tls is not None
        assert authority.client_name_seen(rotated.tls) == "two"

    side.run(main)


def test_a_bundle_that_is_gone_when_the_source_is_made(tmp_path: Path, authority: ClientAuthority) -> None:
    bundle = tmp_path / "ca.crt"
    shutil.copy(authority.certificate, bundle)
    access = access_to(tmp_path, {}, {"certificate-authority": "ca.crt"})
    bundle.unlink()

    for make in (sync_credentials, async_credentials):
        with pytest.raises(ConfigurationError, match=r"certificate-authority: .* cannot be read"):
            make(access)
