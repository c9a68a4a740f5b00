"""What common loggers write, and the level it says."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hodei_k8s_core.log_level import LogLevel, detect_level
from tests.core.thoroughness import examples

LINES = {
    LogLevel.DEBUG: [
        '{"level":"debug","msg":"x"}',
        '{"level":10,"msg":"pino trace"}',
        "time=2026-01-02 level=debug msg=x",
        "DEBUG:root:x",
        "[debug] x",
        "[TRACE] x",
        "2026-01-02 10:00:00.123 [main] DEBUG com.foo.Bar - x",
        "FINE: x",
    ],
    LogLevel.INFO: [
        "",
        " ",
        "plain text",
        "No ERROR here, nor a WARNING",
        "found 0 errors: all good",
        "an error occurred",
        "Error handling is enabled",
        '{"level":"info","error":"none"}',
        '{"level":30,"msg":"pino"}',
        '{"level":null,"severity":"NOTICE"}',
        '{"msg":"no level"}',
        '{"level":"whatever"}',
        '{"level":[1]}',
        '{"level":"error", cut off',
        '{"level":"\ud800"}',
        "{not json} ERROR: x",
        'level=info msg="level=error"',
        "level=loud x",
        "I0102 10:00:00.123456       1 main.go:5] x",
        "INFO x ERROR y",
        "2026-01-02 10:00:00,123 - app - INFO - ERROR is a word",
        "10:00:00.123 [main] INFO c.f.Bar - x",
        "a=b c=d",
        "E0102 is a part number",
        "- a list",
        "2026-01-02 10:00:00 done",
        "1 2 3 4 5 6 7 8 9 ERROR",
    ],
    LogLevel.WARN: [
        '{"severity":"WARNING","message":"gcp"}',
        '{"level":40,"msg":"pino"}',
        '{"lvl":"warn"}',
        '{"levelname":"WARNING"}',
        '{"log.level":"warn"}',
        'lvl=warn msg="x"',
        'ts=1 severity="warning" x',
        "W0102 10:00:00.123456       1 main.go:5] x",
        "[warn] x",
        "[WARNING] x",
        "WARNING:root:x",
        "warning: unused variable",
        "src/x.c:3:5: warning: unused variable",
        "2026-01-02 10:00:00,123 - app.db - WARNING - x",
        "10:00:00.123 [main] WARN  c.f.Bar - x",
        "2026-01-02 10:00:00.000 | WARNING  | mod:fn:1 - x",
        "\x1b[33mWARN\x1b[0m x",
        "<warn> x",
    ],
    LogLevel.ERROR: [
        '{"level":"error"}',
        '{"level":"FATAL"}',
        '{"level":50}',
        "level=fatal msg=x",
        "t=1 lvl=eror msg=x",
        "E0102 10:00:00.123456       1 main.go:5] x",
        "F0102 10:00:00.123456       1 main.go:5] x",
        "ERROR: x",
        "ERROR x",
        "ERROR",
        "error: x",
        "error[E0425]: cannot find value",
        "Error: x",
        "[error] x",
        "[ERROR] x",
        "CRITICAL:root:x",
        "SEVERE: x",
        "src/x.c:3:5: error: expected ;",
        "2026-01-02 10:00:00,123 - app - ERROR - x",
        "2026-01-02 10:00:00,123 ERROR app: x",
        "2026-01-02 10:00:00.123 ERROR 12345 --- [main] c.f.Bar : x",
        "10:00:00.123 [http-nio-8080-exec-1] ERROR c.f.Bar - x",
        "[2026-01-02T10:00:00Z ERROR app] x",
        "2026-01-02T10:00:00.123Z ERROR app: x",
        "Traceback (most recent call last):",
        "ValueError: bad",
        "java.lang.NullPointerException: x",
        'Exception in thread "main" java.lang.Error',
        "npm ERR! code 1",
        "panic: runtime error",
        "fatal: not a git repository",
        "\x1b[1;31mERROR\x1b[0m: x",
    ],
}


@pytest.mark.parametrize(("level", "line"), [(level, line) for level, lines in LINES.items() for line in lines])
def test_level(level, line):
    assert detect_level(line) is level


@settings(max_examples=examples(100), deadline=None)
@given(line=st.one_of(st.text(), st.text(alphabet="{}[]()<>:=-| ERORWAN0123\x1b", max_size=40)))
def test_any_text_has_a_level(line):
    assert isinstance(detect_level(line), LogLevel)
    assert isinstance(detect_level("{" + line), LogLevel)


def test_a_very_long_line_costs_no_more_than_its_head():
    assert detect_level("x" * 1_000_000 + " ERROR") is LogLevel.INFO
    assert detect_level("[" * 100_000) is LogLevel.INFO
    assert detect_level('{"a":' * 100_000) is LogLevel.INFO
