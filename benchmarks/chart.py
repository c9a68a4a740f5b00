"""Results as one SVG: for every case how many times our CPU time each contestant takes, on a logarithmic scale.

Text and marks take their colours from the reader's scheme, light or dark; nothing is told by colour alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from benchmarks.measure import Fact, Measured, Row
from benchmarks.report import Result

_WIDTH, _ROW, _LEFT, _RIGHT = 960, 18, 300, 150
_LEAST, _MOST = 0.1, 1000.0
_TICKS = (0.1, 1, 10, 100, 1000)
_TIMES = "\N{MULTIPLICATION SIGN}"
_TITLE = "CPU time as multiples of hodei-k8s (logarithmic; longer is slower; an upright mark is a target)"
_STYLE = """
svg { background: #fff; font: 12px system-ui, sans-serif }
text { fill: #1f2328 } .dim { fill: #59636e } .head { font-weight: 600 }
.ours { fill: #0969da } .theirs { fill: #8c959f } .grid { stroke: #d1d9e0 } .one { stroke: #0969da }
.target { stroke: #bc4c00; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
  svg { background: #0d1117 } text { fill: #f0f6fc } .dim { fill: #9198a1 }
  .ours { fill: #4493f8 } .theirs { fill: #656c76 } .grid { stroke: #3d444d } .one { stroke: #4493f8 }
  .target { stroke: #f0883e }
}"""


def chart(results: Sequence[Result], machine: Sequence[str]) -> str:
    """The whole file."""
    head = [_TITLE, *machine]
    body: list[str] = []
    y = 24
    for number, line in enumerate(head):
        body.append(_text(12, y, line, "dim" if number else "head"))
        y += _ROW
    top = y
    for result in results:
        y += 12
        body.append(_text(12, y + 13, f"{result.case}{f', per {result.unit}' if result.unit else ''}", "head"))
        y += _ROW + 4
        for row in result.rows:
            body += _row(row, y)
            y += _ROW
    height = y + 28
    size = f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
    start = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(_TITLE)}">'
    return "\n".join([start, f"<style>{_STYLE}\n</style>", *_grid(top, y), *body, "</svg>\n"])


def _row(row: Row, y: int) -> Iterator[str]:
    middle = y + 13
    if isinstance(row, Fact):
        verdict = {True: " ✓", False: " ✗", None: ""}[row.is_reached]
        yield _text(24, middle, row.label)
        yield _text(_LEFT + 6, middle, f"{row.text}{f'  ({row.target}{verdict})' if row.target else ''}", "dim")
        return
    yield _text(24, middle, row.contestant.label)
    if row.trouble:
        yield _text(_LEFT + 6, middle, row.trouble, "dim")
        return
    yield from _bar(row, y)
    yield _text(_WIDTH - _RIGHT + 8, middle, _told(row))


def _bar(row: Measured, y: int) -> Iterator[str]:
    one, end = _x(1), _x(row.ratio)
    kind = "ours" if row.ratios == (1.0,) * len(row.ratios) else "theirs"
    start, width = min(one, end), max(3.0, abs(end - one))
    yield f'<rect class="{kind}" x="{start:.1f}" y="{y + 4}" width="{width:.1f}" height="{_ROW - 7}" rx="2"/>'
    if row.contestant.at_least is not None:
        x = _x(row.contestant.at_least)
        yield f'<line class="target" x1="{x:.1f}" x2="{x:.1f}" y1="{y + 2}" y2="{y + _ROW - 1}"/>'


def _told(row: Measured) -> str:
    verdict = {True: " ✓", False: " ✗", None: ""}[row.is_reached]
    ratio = f"{row.ratio:.0f}" if row.ratio >= 100 else f"{row.ratio:.3g}"
    return f"{ratio}{_TIMES}{verdict} · {_duration(row.seconds)}"


def _duration(seconds: float) -> str:
    unit, scale = next(((u, s) for u, s in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)) if seconds >= s), ("ns", 1e-9))
    return f"{seconds / scale:.3g} {unit}"


def _grid(top: int, bottom: int) -> Iterator[str]:
    for tick in _TICKS:
        x = _x(tick)
        kind = "one" if tick == 1 else "grid"
        yield f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom + 6}"/>'
        yield f'<text class="dim" text-anchor="middle" x="{x:.1f}" y="{bottom + 20}">{tick:g}{_TIMES}</text>'


def _x(ratio: float) -> float:
    share = (math.log10(min(max(ratio, _LEAST), _MOST)) - math.log10(_LEAST)) / math.log10(_MOST / _LEAST)
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    return f'<text{f" class={chr(34)}{kind}{chr(34)}" if kind else ""} x="{x:g}" y="{y:g}">{escape(text)}</text>'
