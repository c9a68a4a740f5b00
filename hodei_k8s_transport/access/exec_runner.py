"""Running an exec plugin: by `subprocess` for threads, by anyio for tasks. What it means is decided in the core.

The plugin's standard error is ours, as with kubectl: a login asks its questions there, and it goes into no message.
One that is not interactive gets a session of its own, so that what it started is stopped with it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from typing import Any

import anyio
import anyio.abc

from hodei_k8s_core.access.exec_plugin import PluginOutcome, PluginRun, RunEnd

EXEC_TIMEOUT = 60.0
"""Seconds for one run of a plugin. Interactive ones wait for a person: give them more."""
OUTPUT_LIMIT = 1024**2
"""Bytes that an answer may have."""
TIMED_OUT = PluginOutcome(RunEnd.TIMED_OUT)


def run_plugin(run: PluginRun, timeout: float) -> PluginOutcome:
    """Run it and wait, `timeout` seconds at most. However this ends, the plugin has ended too."""
    arguments = _command_line(run)
    if arguments is None:
        return PluginOutcome(RunEnd.MISSING)
    try:
        process = subprocess.Popen(arguments, **_options(run))  # noqa: S603 - running it is what the kubeconfig asks for
    except (OSError, ValueError):
        return PluginOutcome(RunEnd.NOT_STARTED)
    with process:
        try:
            output, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            _stop(process.pid, run)
            return TIMED_OUT
        except BaseException:
            _stop(process.pid, run)
            process.wait()  # after an interrupt Popen itself does not wait any more
            raise
    return _outcome(process.returncode, output)


async def run_plugin_async(run: PluginRun, timeout: float) -> PluginOutcome:
    """The same without blocking the event loop."""
    arguments = _command_line(run)
    if arguments is None:
        return PluginOutcome(RunEnd.MISSING)
    try:
        process = await anyio.open_process(arguments, **_options(run))
    except (OSError, ValueError):
        return PluginOutcome(RunEnd.NOT_STARTED)
    async with process:
        try:
            with anyio.fail_after(timeout):
                output = await _read_all(process)
                if len(output) > OUTPUT_LIMIT:
                    _stop(process.pid, run)
                return _outcome(await process.wait(), output)
        except TimeoutError:
            _stop(process.pid, run)
            return TIMED_OUT
        except BaseException:
            _stop(process.pid, run)
            raise


async def _read_all(process: anyio.abc.Process) -> bytes:
    output = bytearray()
    if process.stdout is not None:
        async for chunk in process.stdout:
            output += chunk
            if len(output) > OUTPUT_LIMIT:
                break
    return bytes(output)


def _outcome(exit_code: int, output: bytes) -> PluginOutcome:
    end = RunEnd.EXITED if len(output) <= OUTPUT_LIMIT else RunEnd.TOO_LONG
    return PluginOutcome(end, exit_code, output[:OUTPUT_LIMIT])


def _command_line(run: PluginRun) -> list[str] | None:
    path = shutil.which(run.command, path=run.search_path)
    return [path, *run.arguments] if path else None


def _options(run: PluginRun) -> dict[str, Any]:
    return {
        "stdin": None if run.interactive else subprocess.DEVNULL,
        "stdout": subprocess.PIPE,
        "stderr": None,
        "env": run.environment,
        "start_new_session": not run.interactive,
    }


def _stop(pid: int, run: PluginRun) -> None:
    """The plugin, and what it started: that may hold on to its standard output. It is not waited for yet."""
    try:
        if run.interactive or not hasattr(os, "killpg"):
            os.kill(pid, signal.SIGTERM if not hasattr(signal, "SIGKILL") else signal.SIGKILL)
        else:
            os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
