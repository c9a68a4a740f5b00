"""The commands as a table, each with the module that is loaded when it is called and not before.

`hodei-k8s --help` needs a line about each, and a command needs only itself; all of them together load the providers,
the channels and the whole core.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "run": ("run", "Run a worker to its end: print its log, say why it ended, destroy it, and exit with its own code."),
    "create": ("create", "Create a worker and leave it running; its id goes to standard output."),
    "status": ("status", "How one worker is; a worker without a Pod is TERMINATED."),
    "manifest": ("manifest", "Print the Pod of a worker, and create nothing; the worker's OTP is not shown."),
    "logs": ("logs", "What workers have written, one after another or as it comes."),
    "list": ("list_", "All workers of this provider, ended ones included."),
    "top": ("top", "The fleet on the whole terminal, kept up to date: what is in trouble first. Ctrl-C ends it."),
    "wait": (
        "wait",
        "Wait until workers are in a state; exit code 0 when all got there, 1 as soon as it is known that one cannot.",
    ),
    "explain": (
        "explain",
        "Why a worker is as it is: its state, the verdict with its evidence, and how long each phase took.",
    ),
    "destroy": (
        "destroy",
        "End workers, and return when their Pods are gone. A worker that is gone already is done.",
    ),
    "reconcile": ("reconcile", "Take away workers that nobody wants, or whose time is over."),
    "serve": (
        "serve",
        "Watch over the workers: reconcile as the leader, export metrics, answer /livez, /readyz, /metrics and /fleet.",
    ),
    "health": ("health", "Whether workers can be run there; exit code 0 when healthy or degraded, 1 otherwise."),
    "doctor": (
        "doctor",
        "Look at every step from the settings to the permissions; exit code 0 when workers can run, 1 otherwise.",
    ),
    "rbac": ("rbac", "Print the least that must be permitted, as YAML, each rule with its reason. Asks no cluster."),
    "capabilities": (
        "capabilities",
        "What workers can be there: groups of nodes, total and free, accelerators, quotas.",
    ),
    "fits": (
        "fits",
        "Whether such a worker would fit, when, and why not; exit code 0 when now or on a new node, else 1.",
    ),
    "simulate": (
        "simulate",
        "Serve a cluster that lives in memory, until Ctrl-C: for kubectl, for this command line, for any client.",
    ),
    "config": (
        "config",
        "The settings as they count, and where each came from: an option, a variable, or its default. Asks no cluster.",
    ),
}
"""Each command's name, its module, and the first paragraph of its help; in the order in which they are listed."""


class LazyCommands(TyperGroup):
    """Lists what the table says, and loads what is called."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = {name: TyperCommand(name, help=line) for name, (_, line) in COMMANDS.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the arguments name, in full."""
        name, listed, rest = super().resolve_command(ctx, args)
        return name, None if listed is None or name is None else load_command(name), rest


def load_command(name: str) -> Any:
    """A command with its options, as click calls it."""
    module = import_module(f"hodei_k8s_transport.cli.commands.{COMMANDS[name][0]}")
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    alone.command(name=name, epilog=module.EXAMPLES, cls=getattr(module, "CLASS", None))(module.command)
    return typer.main.get_command(alone)
