"""From the options that every command has to a provider, and from every expected failure to one line on stderr."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, NoReturn

import msgspec
import typer

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import ConfigurationError, Fault, HodeiK8sError, ProviderError
from hodei_k8s_core.operations.handles import handle_for_id
from hodei_k8s_core.worker import WorkerHandle
from hodei_k8s_transport.channels.channel import Channel
from hodei_k8s_transport.cli.output import plain
from hodei_k8s_transport.cli.target import target_of
from hodei_k8s_transport.provider import KubernetesProvider

EXPECTED_FAILURE = 1
INTERRUPTED = 130
"""As a shell tells it of a program that SIGINT ended."""
NOBODY_READS = 141
"""As a shell tells it of a program that SIGPIPE ended."""


def config_faults(context: typer.Context) -> list[Fault]:
    """What is wrong with the settings, to be told together with what is wrong with a command's own options."""
    try:
        target_of(context).config(os.environ)
    except ConfigurationError as error:
        return list(error.faults)
    return []


@contextmanager
def provider_for(context: typer.Context, *, simulated: bool = False) -> Iterator[KubernetesProvider]:
    """A provider for the time of one command, recorded where that was asked for; `simulated` on a cluster in memory."""
    target = target_of(context)
    config = target.config(os.environ)
    if target.record is None:
        with KubernetesProvider.connect(config, channel=_simulated(config) if simulated else None) as provider:
            yield provider
        return
    from hodei_k8s_transport.channels.recording.recording_channel import RecordingChannel
    from hodei_k8s_transport.connect import open_channel

    try:
        channel, where = (_simulated(config), None) if simulated else open_channel(config, os.environ)
        with closing(KubernetesProvider(config, RecordingChannel(channel, target.record), target=where)) as provider:
            yield provider
    except BrokenPipeError:
        raise
    except OSError as error:  # a provider's own failures are no OSErrors
        raise ConfigurationError("the recording cannot be written", [Fault("--record", str(error))]) from error


def _simulated(config: KubernetesConfig) -> Channel:
    """A channel to a cluster that lives as long as this command."""
    from hodei_k8s_transport.simulation import RealTime, SimulatedChannel, playground

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what the worker runs ends with this command
    cluster = playground(config.namespace)
    return SimulatedChannel(cluster, time=RealTime(cluster), latency=0.0)


def handle_of(worker_id: str, provider: KubernetesProvider) -> WorkerHandle:
    """The handle of whichever Pod is that worker now."""
    return handle_for_id(worker_id, provider.config)


@contextmanager
def failures_told(*, when_interrupted: str = "interrupted") -> Iterator[None]:
    """An expected failure is one line on stderr and a non-zero exit, never a traceback."""
    try:
        yield
    except HodeiK8sError as error:
        fail(one_line(error))
    except KeyboardInterrupt:
        tell(when_interrupted)
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:  # the output went to `head`
        raise typer.Exit(NOBODY_READS) from None


def tell(message: str) -> None:
    """A line for a person, beside the output."""
    typer.echo(f"hodei-k8s: {message}", err=True)


def fail(message: str) -> NoReturn:
    """Tell the failure and end."""
    tell(message)
    raise typer.Exit(EXPECTED_FAILURE)


def one_line(error: HodeiK8sError) -> str:
    """The error with all that is known, in one line."""
    notes = getattr(error, "__notes__", [])
    if isinstance(error, ConfigurationError) and error.faults:
        return plain("; ".join([f"{error.summary}: {'; '.join(map(str, error.faults))}", *notes]))
    return plain("; ".join([str(error), *notes]))


def error_document(error: ProviderError) -> dict[str, Any]:
    """The error for a program."""
    told = {"kind": type(error).__name__, "message": one_line(error), "retryable": error.retryable}
    return {**told, "verdict": msgspec.to_builtins(error.verdict)}
