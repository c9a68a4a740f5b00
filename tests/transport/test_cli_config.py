"""`hodei-k8s config`: every setting with its source; and the completion of shells."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hodei_k8s_core.config.settings import SETTINGS
from hodei_k8s_transport.cli.app import app


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("HODEI_K8S_")]:
        monkeypatch.delenv(name)


def test_each_setting_with_its_source() -> None:
    environ = {"HODEI_K8S_GRACE_PERIOD": "5", "HODEI_K8S_NAMESPACE": "lost"}
    result = CliRunner().invoke(app, ["--namespace", "ci", "--kubeconfig", "/k", "config", "-o", "json"], env=environ)
    shown = {one["setting"]: one for one in json.loads(result.stdout)}
    assert list(shown) == [setting.field for setting in SETTINGS]
    assert (shown["namespace"]["value"], shown["namespace"]["source"]) == ("ci", "--namespace")
    assert (shown["kubeconfig_path"]["value"], shown["kubeconfig_path"]["source"]) == ("/k", "--kubeconfig")
    assert (shown["grace_period"]["value"], shown["grace_period"]["source"]) == ("5", "HODEI_K8S_GRACE_PERIOD")
    assert shown["context"]["source"] == "default"


def test_only_what_is_not_as_by_default() -> None:
    result = CliRunner().invoke(app, ["config", "--changed"], env={"HODEI_K8S_GRACE_PERIOD": "5"})
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["SETTING", "VALUE", "SOURCE"],
        ["grace_period", "5", "HODEI_K8S_GRACE_PERIOD"],
    ]
    assert "as by default" in CliRunner().invoke(app, ["config", "--changed"]).stderr


def test_what_is_wrong_is_one_line() -> None:
    result = CliRunner().invoke(app, ["config"], env={"HODEI_K8S_GRACE_PERIOD": "soon"})
    assert result.exit_code == 1
    assert "HODEI_K8S_GRACE_PERIOD" in result.stderr


def test_a_shell_completes_commands_and_options() -> None:
    def completed(words: str) -> str:
        asked = {"_HODEI_K8S_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        command = [sys.executable, "-c", "from hodei_k8s_transport.cli import main; main()"]
        environ = {**os.environ, **asked}
        done = subprocess.run(
            command, env=environ, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=60, check=False
        )
        assert "Traceback" not in done.stderr
        return done.stdout

    assert {"serve", "status"} <= set(completed("hodei-k8s s").split())
    assert "--observe-only" in completed("hodei-k8s serve --obs")
