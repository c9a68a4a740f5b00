"""What is pure: bytes from values, values from bytes. No network, no cluster."""

from benchmarks.case import Case
from benchmarks.pure.build_request import BUILD_REQUEST
from benchmarks.pure.decode_pods import DECODE_LIST, DECODE_POD
from benchmarks.pure.read_log import BUSY_LOG, QUIET_LOG
from benchmarks.pure.read_watch import READ_WATCH

CASES: tuple[Case, ...] = (BUILD_REQUEST, DECODE_POD, DECODE_LIST, BUSY_LOG, QUIET_LOG, READ_WATCH)
