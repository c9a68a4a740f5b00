"""Fresh interpreters, timed from outside; what a bare one takes is taken off where the program is an import."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.case import Contestant
from benchmarks.measure import Measured, Row, compared
from benchmarks.runner import CannotRun

_STARTS = 5
"""A round starts each program this often."""
_TIMEOUT = 60.0
_BARE = ("-c", "pass")


@dataclass(frozen=True)
class Program:
    """Arguments of a Python; `at_least`: how many times as long as the first one it must take."""

    label: str
    arguments: tuple[str, ...]
    at_least: float | None = None


@dataclass(frozen=True)
class Startup:
    """`beyond_bare`: the interpreter's own start does not count."""

    name: str
    programs: tuple[Program, ...]
    beyond_bare: bool
    unit: str = "start"

    def measure(self, rounds: int, progress: Callable[[str], None]) -> Sequence[Row]:
        """Raises: CannotRun."""
        troubles = {program: _trouble(program.arguments) for program in self.programs}
        samples: dict[Program, list[float]] = {program: [] for program in self.programs}
        for number in range(rounds):
            progress(f"{self.name}: round {number + 1} of {rounds}")
            bare = _cpu(_BARE) if self.beyond_bare else 0.0
            for program in self.programs:
                if not troubles[program]:
                    samples[program].append(_cpu(program.arguments) - bare)
        ours = self.programs[0]
        if troubles[ours]:
            raise CannotRun(troubles[ours])
        return [_row(program, troubles[program], samples[program], samples[ours]) for program in self.programs]


def _row(program: Program, trouble: str, samples: list[float], ours: list[float]) -> Measured:
    who = Contestant(program.label, "", "", at_least=program.at_least)
    return Measured(who, trouble=trouble) if trouble else compared(who, 1, samples, ours)


def _cpu(arguments: tuple[str, ...]) -> float:
    """CPU seconds of one start, on average."""
    before = _children()
    for _ in range(_STARTS):
        subprocess.run([sys.executable, *arguments], capture_output=True, timeout=_TIMEOUT, check=True)
    return (_children() - before) / _STARTS


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _trouble(arguments: tuple[str, ...]) -> str:
    """Why it cannot run; run once, so that its bytecode is there."""
    run = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=_TIMEOUT, check=False)
    return "" if not run.returncode else (run.stderr.strip().splitlines() or ["failed"])[-1]


IMPORT = Startup(
    name="import, beyond a bare interpreter",
    beyond_bare=True,
    programs=(
        Program("import hodei_k8s_core", ("-c", "import hodei_k8s_core")),
        Program("import httpx", ("-c", "import httpx"), at_least=1 / 0.6),
        Program("import msgspec", ("-c", "import msgspec")),
        Program("import hodei_k8s_transport", ("-c", "import hodei_k8s_transport")),
        Program(
            "config, spec and handle", ("-c", "from hodei_k8s_core import KubernetesConfig, WorkerHandle, WorkerSpec")
        ),
        Program("all of hodei_k8s_core", ("-c", "from hodei_k8s_core import *")),
        Program(
            "AsyncKubernetesProvider", ("-c", "from hodei_k8s_transport import AsyncKubernetesProvider as provider")
        ),
        Program("import lightkube", ("-c", "import lightkube")),
        Program("import kubernetes", ("-c", "import kubernetes.client")),
        Program("import kubernetes_asyncio", ("-c", "import kubernetes_asyncio.client")),
        Program("import kr8s", ("-c", "import kr8s")),
    ),
)

_TYPER = """
import typer
app = typer.Typer()
@app.command()
def one(name: str): "One."
@app.command()
def other(name: str): "Other."
app(["--help"])
"""

COMMAND = Startup(
    name="--help",
    beyond_bare=False,
    programs=(
        Program("hodei-k8s --help", ("-m", "hodei_k8s_transport", "--help")),
        Program("typer, two commands, --help", ("-c", _TYPER), at_least=1 / 1.5),
        Program("bare Python", _BARE),
    ),
)
