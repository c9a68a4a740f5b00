"""Containers that are processes of this machine: the command of a Pod, really run, without its image.

What the image would bring (files, users, limits) is not there; the command runs as this user, in an empty directory of
its own, with the container's environment and this process's PATH.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import queue
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import weakref
from typing import IO, Any

from hodei_k8s_core.simulation import Behaviour

_running: weakref.WeakSet[LocalProcess] = weakref.WeakSet()
_REFERENCE = re.compile(r"\$\$|\$\(([^)]*)\)")
NOT_FOUND = 127
NO_COMMAND = "the container has no command, and its image is not here"
KILL_LIMIT = 5.0
"""Seconds in which a process is gone after SIGKILL, unless the machine is in trouble."""
Json = dict[str, Any]


def local_process() -> Behaviour:
    """What a container does: its command, run as a process of this machine."""
    return Behaviour(pull=0.1, start=0.0, ready=0.0, program=LocalProgram())


class LocalProgram:
    """Starts the commands of containers."""

    def start(self, pod: Json, container: str) -> LocalProcess:
        spec = next(one for one in pod["spec"]["containers"] if one["name"] == container)
        environ = environment_of(spec)
        words = [*(spec.get("command") or ()), *(spec.get("args") or ())]
        return LocalProcess([expanded(word, environ) for word in words], environ, spec.get("workingDir"))


class LocalProcess:
    """One process, and the lines that it has written; both of its streams are one log, as a kubelet has it."""

    def __init__(self, words: list[str], environ: dict[str, str], folder: str | None) -> None:
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._home = tempfile.mkdtemp(prefix="hodei-k8s-")
        self._process: subprocess.Popen[bytes] | None = None
        self._is_read = False
        own = {"PATH": os.environ.get("PATH", os.defpath), "HOME": self._home}
        try:
            if not words:
                raise ValueError(NO_COMMAND)
            self._process = subprocess.Popen(  # noqa: S603 - running what the Pod says is what this is for
                words,
                cwd=folder or self._home,
                env={**own, **environ},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            self._lines.put(str(error))
            self._lines.put(None)
            return
        _running.add(self)
        if self._process.stdout is not None:
            threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True).start()

    def poll(self) -> tuple[list[str], int | None]:
        """The lines since the last call; the exit code when it has ended and all were given."""
        lines: list[str] = []
        with contextlib.suppress(queue.Empty):
            while (line := self._lines.get_nowait()) is not None:
                lines.append(line)
            self._is_read = True
        code = self._exit_code()
        if code is not None and not self._is_read:
            self._signal(signal.SIGKILL)  # the first process is over, and so are all that it has left behind
            return lines, None
        if code is not None:
            shutil.rmtree(self._home, ignore_errors=True)
        return lines, code

    def stop(self) -> None:
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait(KILL_LIMIT)
        shutil.rmtree(self._home, ignore_errors=True)

    def _exit_code(self) -> int | None:
        """As a container tells it: 128 and the signal that ended it."""
        if self._process is None:
            return NOT_FOUND
        code = self._process.poll()
        return 128 - code if code is not None and code < 0 else code

    def _signal(self, number: int) -> None:
        """To all that it has started as well."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)

    def _read(self, output: IO[bytes]) -> None:
        with output:
            for line in output:
                self._lines.put(line.removesuffix(b"\n").decode(errors="replace"))
        self._lines.put(None)


@atexit.register
def _end_all() -> None:
    """None outlives this process (unless it is killed itself, which nobody hears of)."""
    for process in tuple(_running):
        process.kill()


def environment_of(spec: Json) -> dict[str, str]:
    """The container's environment, each value expanded by those before it; what comes from elsewhere is not there."""
    environ: dict[str, str] = {}
    for one in spec.get("env") or ():
        if "value" in one:
            environ[one["name"]] = expanded(one["value"], environ)
    return environ


def expanded(text: str, environ: dict[str, str]) -> str:
    """`$(NAME)` is the value, `$$` a dollar, an unknown name stays (k8s.io/kubernetes, third_party/forked/golang)."""
    return _REFERENCE.sub(lambda found: "$" if found[1] is None else environ.get(found[1], found[0]), text)
