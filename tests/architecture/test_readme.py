"""The README is true where a test can tell: the table of settings is the code's, and its examples are valid code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from hodei_k8s_core.config.settings_markdown import settings_markdown

README = (Path(__file__).parents[2] / "README.md").read_text()
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def test_the_settings_are_those_of_the_code() -> None:
    begin = README.index("checked by a test -->\n") + len("checked by a test -->\n")
    assert README[begin : README.index("<!-- end of settings -->")] == settings_markdown()


def test_every_folder_that_it_names_is_there() -> None:
    for name in re.findall(r"^\| `(hodei_k8s_[\w/]+)`", README, re.MULTILINE):
        assert (Path(__file__).parents[2] / name).is_dir(), name


@pytest.mark.parametrize("example", EXAMPLES, ids=["asyncio", "trio", "threads", "pytest"])
def test_an_example_is_code(example: str) -> None:
    ast.parse(example)
