"""Through the wire, but no further than this machine: a canned server in another process."""

from benchmarks.loopback.get_one_pod import IN_TASKS, IN_THREADS, GetOnePod

CASES = tuple(
    GetOnePod(host, at_once, contestants)
    for host, contestants in (("tasks", IN_TASKS), ("threads", IN_THREADS))
    for at_once in (1, 16, 64)
)
