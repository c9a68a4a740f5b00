"""The table of commands says what the commands themselves say."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hodei_k8s_transport.cli import commands
from hodei_k8s_transport.cli.app import app
from hodei_k8s_transport.cli.lazy_commands import COMMANDS, load_command

FOLDER = Path(commands.__file__).parent


def test_every_command_is_in_the_table() -> None:
    assert {module for module, _ in COMMANDS.values()} == {path.stem for path in FOLDER.glob("[!_]*.py")}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_what_the_command_says(name: str) -> None:
    module, line = COMMANDS[name]
    documented = inspect.getdoc(import_module(f"{commands.__name__}.{module}").command)
    assert documented is not None
    assert documented.split("\n\n")[0].replace("\n", " ") == line
    assert load_command(name).name == name


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_is_its_own(name: str) -> None:
    result = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    assert f"{name} [OPTIONS]" in result.output
    assert "--help" in result.output
    assert "Example" in result.output


def test_a_command_that_is_not_there_is_refused_with_the_nearest() -> None:
    result = CliRunner().invoke(app, ["lst"])
    assert result.exit_code == 2
    assert "list" in result.output
