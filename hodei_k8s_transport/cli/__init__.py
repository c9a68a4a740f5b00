"""The command line, `hodei-k8s`: needs the extra `cli` (typer and rich)."""

from __future__ import annotations

import io
import sys

__all__ = ["main"]


def main() -> None:
    """The entry point. Without the extra it says in one line what to install."""
    try:
        from hodei_k8s_transport.cli.app import app
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich"):
            raise
        sys.exit("hodei-k8s: the command line needs typer and rich: pip install 'hodei-k8s[cli]'")
    for stream in (sys.stdout, sys.stderr):  # a log may hold what the terminal's encoding lacks
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    app(prog_name="hodei-k8s")
