"""Where the numbers come from."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("msgspec", "h11", "anyio", "httpx", "kubernetes", "pydantic", "kubernetes_asyncio", "lightkube", "kr8s")


def machine() -> list[str]:
    """The machine, and the versions of everything that takes part."""
    load = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    return [
        f"{_processor()}, {os.cpu_count()} cores, load {load}; {platform.system()} {platform.release()}",
        f"{platform.python_implementation()} {platform.python_version()}; " + ", ".join(map(_version, _PACKAGES)),
    ]


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"{package} is not installed"
