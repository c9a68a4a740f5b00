"""YAML as kubectl's parser sees it; the values were compared with kubectl's own (1.36)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from hodei_k8s_core.yaml_text import MAX_DEPTH, YamlFault, _loader_class, parse_yaml


@pytest.fixture(params=["C", "Python"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Both of PyYAML's parsers: the faster one is not there everywhere."""
    if request.param == "C" and not yaml.__with_libyaml__:
        pytest.skip("this PyYAML has no libyaml")
    if request.param == "Python":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    _loader_class.cache_clear()
    yield request.param
    _loader_class.cache_clear()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12:30", "12:30"),
        ("2026-11-24", "2026-11-24"),
        ("2026-11-24T10:00:00Z", "2026-11-24T10:00:00Z"),
        ("!!timestamp 2026-11-24", "2026-11-24"),
        ("=", "="),
        ("<<", "<<"),
        ("_1", "_1"),
        ("1e", "1e"),
        ("1.5.5", "1.5.5"),
        ("0xZZ", "0xZZ"),
        ("+", "+"),
        ("nO", "nO"),
        ("'yes'", "yes"),
        ("!!str 12", "12"),
        ("yes", True),
        ("y", True),
        ("On", True),
        ("TRUE", True),
        ("n", False),
        ("off", False),
        ("No", False),
        ("0x1f", 31),
        ("0b11", 3),
        ("017", 15),
        ("0o17", 15),
        ("1_000", 1000),
        ("-1", -1),
        ("0", 0),
        ("089", 89.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e5", 100000.0),
        ("-.inf", float("-inf")),
        ("~", None),
        ("Null", None),
        ("", None),
    ],
)
def test_scalars(text: str, value: Any) -> None:
    parsed = parse_yaml(f"a: {text}\n".encode())["a"]

    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"", None),
        (b"# only this\n", None),
        (b"---\na: 1\n---\nb: [\n", {"a": 1}),
        ("a: é".encode("utf-16"), {"a": "é"}),
        (b"\xef\xbb\xbfa: 1", {"a": 1}),
        (b"{7: a, true: b}", {"7": "a", "true": "b"}),
        (b"a: 1\na: 2", {"a": 2}),
        (b"a: &x {b: 1}\nc:\n  <<: *x\n  d: 2", {"a": {"b": 1}, "c": {"b": 1, "d": 2}}),
        (b"a: &x [1]\nb: *x", {"a": [1], "b": [1]}),
    ],
)
def test_documents(data: bytes, value: Any) -> None:
    assert parse_yaml(data) == value


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"a: b: c", "line 1, column 5: mapping values are not allowed "),
        (b"a: *hunter", "line 1, column 4: found undefined alias"),
        (b"a: !hunter x", "line 1, column 4: could not determine a constructor for the tag …"),
        (b"? [1]\n: 2", "line 1, column 3: found unhashable key"),
        (b"a: !!int hunter", "a value does not fit its explicit tag"),
        (b"\xff\xfe\x00", "not text in UTF-8 or UTF-16"),
        (b"a: &x [[*x]]", "an alias stands inside of what it stands for"),
        (b"[" * (MAX_DEPTH + 1), "nested too deeply"),
        (b"{a: " * (MAX_DEPTH + 1), "nested too deeply"),
        (
            b"a0: &a0 [x]\n"
            + b"".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n".encode() for n in range(1, 10)),
            "its aliases expand too far",
        ),
    ],
)
def test_faults_quote_nothing(data: bytes, problem: str) -> None:
    with pytest.raises(YamlFault) as caught:
        parse_yaml(data)

    assert problem in str(caught.value)
    assert "hunter" not in str(caught.value)


def test_yaml_is_imported_when_there_is_some() -> None:
    program = (
        "import sys, hodei_k8s_core.access.kubeconfig as k, hodei_k8s_core.access.kubeconfig_document as d\n"
        "assert 'yaml' not in sys.modules\n"
        "k.merge_documents([d.KubeconfigDocument('/a', b'{}')])\n"
        "assert 'yaml' in sys.modules\n"
    )

    subprocess.run([sys.executable, "-c", program], check=True)
