"""What is wrong with a worker, whose fault it is, and what that rests on: pure functions of a Pod, events and time."""

from hodei_k8s_core.diagnosis.case import Examination
from hodei_k8s_core.diagnosis.described import described_worker, judged_worker
from hodei_k8s_core.diagnosis.examine import diagnose, examine, out_of_time
from hodei_k8s_core.diagnosis.read_timeline import timeline
from hodei_k8s_core.diagnosis.refusal import verdict_of_refusal
from hodei_k8s_core.diagnosis.scheduler_message import SchedulerMessage, parse_scheduler_message

__all__ = [
    "Examination",
    "SchedulerMessage",
    "described_worker",
    "diagnose",
    "examine",
    "judged_worker",
    "out_of_time",
    "parse_scheduler_message",
    "timeline",
    "verdict_of_refusal",
]
