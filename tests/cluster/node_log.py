"""What a container's log file on the node really holds: the truth that a reader is compared with.

A runtime can lose the end of what a container wrote in the moment of its exit: the last record of such a file is a
beginning of a line (`P`) that nothing follows. That is not the reader's loss.
"""

from __future__ import annotations

from pathlib import Path

from hodei_k8s_core.worker import WorkerHandle

POD_LOGS = Path("/var/log/pods")


def node_log(handle: WorkerHandle, container: str = "worker") -> list[str]:
    """Every line of the one log file of that container, pieces joined."""
    (file,) = (POD_LOGS / f"{handle.namespace}_{handle.pod_name}_{handle.pod_uid}" / container).glob("*.log")
    lines, is_new = [], True
    for record in file.read_bytes().splitlines():
        _, _, tag, text = record.split(b" ", 3)
        if is_new:
            lines.append(text)
        else:
            lines[-1] += text
        is_new = tag == b"F"
    return [line.decode() for line in lines]
