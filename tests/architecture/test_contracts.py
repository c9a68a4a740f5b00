"""The contracts of `.importlinter` hold, and each can go red: an import planted in a copy of the packages breaks it."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("hodei_k8s_core", "hodei_k8s_transport")
CONTRACTS = configparser.ConfigParser()
CONTRACTS.read(ROOT / ".importlinter")
NAMES = {
    section.rpartition(":")[2]: CONTRACTS[section]["name"]
    for section in CONTRACTS.sections()
    if section.startswith("importlinter:contract:")
}
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
NEW_MODULE = "hodei_k8s_core/without_a_place.py"

PLANTED = [
    ("core-is-pure", "hodei_k8s_core/http.py", "import hodei_k8s_transport"),
    ("core-is-pure", "hodei_k8s_core/retry.py", "import time"),
    ("core-is-pure", "hodei_k8s_core/operations/calls.py", "from httpx import Client"),
    ("core-is-pure", "hodei_k8s_core/simulation/store.py", "def f():\n    import os.path"),
    ("core-is-pure", "hodei_k8s_core/access/kubeconfig.py", "import yaml"),
    ("core-layers", "hodei_k8s_core/http.py", "from hodei_k8s_core import errors"),
    ("core-layers", "hodei_k8s_core/requests.py", "from hodei_k8s_core.operations.calls import call"),
    ("core-layers", "hodei_k8s_core/operations/calls.py", "import hodei_k8s_core.simulation.world"),
    ("core-layers", "hodei_k8s_core/lines.py", "import hodei_k8s_core.names"),
    ("core-layers", NEW_MODULE, "X = 1"),
    ("core-no-cycles", "hodei_k8s_core/config/setting_kinds.py", "import hodei_k8s_core.config.settings"),
    ("core-no-cycles", "hodei_k8s_core/errors.py", "def f():\n    import hodei_k8s_core.validation"),
    ("transport-layers", "hodei_k8s_transport/channels/channel.py", "import hodei_k8s_transport.provider"),
    ("transport-layers", "hodei_k8s_transport/provider.py", "import hodei_k8s_transport.async_provider"),
    ("transport-layers", "hodei_k8s_transport/drivers/host.py", "import hodei_k8s_transport.testing"),
    ("transport-layers", "hodei_k8s_transport/provider_base.py", "import hodei_k8s_transport.cli"),
    ("extras-stay-in-cli", "hodei_k8s_transport/provider.py", "import typer"),
    ("extras-stay-in-cli", "hodei_k8s_transport/testing/__init__.py", "from rich import table"),
    ("metrics-stay-in-service", "hodei_k8s_transport/channels/channel.py", "import prometheus_client"),
    ("pytest-stays-in-testing", "hodei_k8s_transport/access/files.py", "import pytest"),
]
BREAKS_NOTHING = [  # the counterpart: what a contract lets pass on purpose
    ("hodei_k8s_transport/cli/__init__.py", "import typer, rich.table"),
    ("hodei_k8s_transport/testing/__init__.py", "import pytest"),
    ("hodei_k8s_core/http.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import hodei_k8s_core.errors"),
]


def lint(root: Path) -> tuple[int, set[str]]:
    """The exit code, and the names of the broken contracts, of `lint-imports` in that tree."""
    program = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, timeout=60, check=False
    )
    told = " ".join(COLOURS.sub("", done.stdout + done.stderr).split())
    assert "Contracts:" in told, told
    return done.returncode, {name for name in NAMES.values() if f"{name} BROKEN" in told}


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("copy")
    shutil.copy(ROOT / ".importlinter", root)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
    return root


def lint_with(copied: Path, file: str, code: str) -> tuple[int, set[str]]:
    path = copied / file
    assert path.exists() == (file != NEW_MODULE), "the file that the import is planted in has moved"
    before = path.read_bytes() if path.exists() else None
    path.write_bytes((before or b"") + f"\n{code}\n".encode())
    try:
        return lint(copied)
    finally:
        if before is None:
            path.unlink()
        else:
            path.write_bytes(before)


def test_the_contracts_hold() -> None:
    assert lint(ROOT) == (0, set())


def test_every_contract_is_proved_below() -> None:
    assert {contract for contract, _, _ in PLANTED} == set(NAMES)


@pytest.mark.parametrize(("contract", "file", "code"), PLANTED, ids=[f"{c}:{f}" for c, f, _ in PLANTED])
def test_a_planted_import_breaks_the_contract(copied: Path, contract: str, file: str, code: str) -> None:
    code_of_exit, broken = lint_with(copied, file, code)
    assert code_of_exit == 1
    assert NAMES[contract] in broken


@pytest.mark.parametrize(("file", "code"), BREAKS_NOTHING, ids=[f for f, _ in BREAKS_NOTHING])
def test_what_is_allowed_breaks_none(copied: Path, file: str, code: str) -> None:
    assert lint_with(copied, file, code) == (0, set())
