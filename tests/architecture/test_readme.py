"""The README is true where a test can tell: the table of settings is the code's, and its examples are valid code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.config.settings_markdown import settings_markdown
from hodei_k8s_core.manifest import build_worker_pod
from hodei_k8s_core.spec import WorkerSpec
from hodei_k8s_transport.service.metrics.definitions import metrics_markdown

README = (Path(__file__).parents[2] / "README.md").read_text()
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def test_the_settings_are_those_of_the_code() -> None:
    assert table_of("settings") == settings_markdown()


def test_the_metrics_are_those_of_the_code() -> None:
    assert table_of("metrics") == metrics_markdown()


def table_of(name: str) -> str:
    begin = README.index("checked by a test -->\n", README.index(f"<!-- {name}:")) + len("checked by a test -->\n")
    return README[begin : README.index(f"<!-- end of {name} -->")]


def test_every_folder_that_it_names_is_there() -> None:
    for name in re.findall(r"^\| `(hodei_k8s_(?:core|transport)[\w/]*)`", README, re.MULTILINE):
        assert (Path(__file__).parents[2] / name).is_dir(), name


def test_the_example_of_profiles_and_the_template_holds() -> None:
    (text,) = re.findall(r"^```toml\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    config = KubernetesConfig.from_toml(text)
    plain = build_worker_pod(WorkerSpec(worker_id="w1"), config)
    assert plain["metadata"]["labels"]["team"] == "build"
    (worker,) = plain["spec"]["containers"]
    assert (worker["image"], worker["lifecycle"]) == (
        "registry.example/agent:7",
        {"preStop": {"exec": {"command": ["agent", "stop"]}}},
    )
    assert [one["name"] for one in plain["spec"]["initContainers"]] == ["certificates"]
    on_gpu = build_worker_pod(WorkerSpec(worker_id="w1", profile="gpu"), config)["spec"]
    assert on_gpu["containers"][0]["image"] == "registry.example/agent-gpu:7"
    assert on_gpu["containers"][0]["resources"]["limits"]["memory"] == "16Gi"
    assert on_gpu["containers"][0]["lifecycle"] == worker["lifecycle"]
    assert on_gpu["nodeSelector"] == {"pool": "gpu"}
    assert on_gpu["tolerations"] == [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}]
    assert on_gpu["initContainers"] == []


@pytest.mark.parametrize("example", EXAMPLES, ids=["asyncio", "trio", "threads", "pytest", "service", "metrics"])
def test_an_example_is_code(example: str) -> None:
    ast.parse(example)
