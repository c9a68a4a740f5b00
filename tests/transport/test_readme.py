"""The three examples of embedding in the README, run as they stand, each in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hodei_k8s_core.simulation import Behaviour, Cluster
from tests.transport.simulated_server import SimulatedServer

ROOT = Path(__file__).parents[2]
EXAMPLES = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
ENDS = Behaviour(logs=((0.0, "hello"),), exit_code=3, run=0.3)
STAYS = Behaviour(logs=((0.0, "hello"),))


@pytest.mark.parametrize(
    ("example", "behaviour", "told"),
    [(EXAMPLES[0], STAYS, "hello"), (EXAMPLES[1], ENDS, "hello"), (EXAMPLES[2], ENDS, "\n3\n")],
    ids=["asyncio", "trio", "threads"],
)
def test_an_example_runs(example: str, behaviour: Behaviour, told: str, tmp_path: Path) -> None:
    script = tmp_path / "example.py"
    script.write_text(example)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("HODEI_K8S_")}
    with SimulatedServer(Cluster(behaviours={"busybox:1.36": behaviour})) as server:
        kubeconfig = str(server.write_kubeconfig(tmp_path / "config"))
        ended = subprocess.run(
            [sys.executable, str(script)],
            env={**environ, "KUBECONFIG": kubeconfig, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        assert told in ended.stdout
        assert not server.pods()
