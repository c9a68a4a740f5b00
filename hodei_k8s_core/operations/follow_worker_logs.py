"""Follow what a worker writes until it has ended and its log is read to the end, across every break in between."""

from __future__ import annotations

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Stream
from hodei_k8s_core.log_entry import LogItem
from hodei_k8s_core.operations.handles import check_handle
from hodei_k8s_core.operations.log_follow import LogFollow
from hodei_k8s_core.operations.log_start import log_start
from hodei_k8s_core.worker import WORKER_CONTAINER, WorkerHandle


def follow_worker_logs(
    config: KubernetesConfig,
    handle: WorkerHandle,
    *,
    since: str | int | None = None,
    tail: int | None = None,
    container: str = WORKER_CONTAINER,
) -> Stream[LogItem, str]:
    """Every line of a container once, as it is written; ends when it has ended and all was given.

    Waits while the container has not started. `since`: the `cursor` of an item, to go on behind it, or nanoseconds
    since the epoch; `tail`: begin with the last so many lines. Where lines cannot be had any more there is a `LogGap`,
    where the container was started again a `LogRestart`. Returns the cursor at the end.

    Raises: WorkerNotFound when there is no Pod at the start; AuthenticationFailed, ConfigurationError, ConnectionFailed
    when nothing but failures came for `config.outage_limit` seconds.
    """
    check_handle(handle, config)
    follow = LogFollow(config, handle, log_start(since, tail), container=container)
    yield from follow.run()
    return str(follow.cursor)
