"""What a provider does, each operation written once, as a generator of effects."""

from hodei_k8s_core.operations.assignment import assign_job, drain_worker, release_job
from hodei_k8s_core.operations.capabilities import (
    can_fulfill,
    capabilities,
    confirm_fulfillment,
    describe_capacity,
    explain_fulfillment,
)
from hodei_k8s_core.operations.create_worker import adopt_or_create_worker, create_worker, new_creation_token
from hodei_k8s_core.operations.deadline import with_deadline
from hodei_k8s_core.operations.destroy_worker import (
    begin_destroy_worker,
    destroy_worker,
    destroy_worker_by_id,
    force_destroy_worker,
)
from hodei_k8s_core.operations.ensure_namespace import ensure_namespace
from hodei_k8s_core.operations.final_report import destroy_worker_with_report
from hodei_k8s_core.operations.follow_worker_logs import follow_worker_logs
from hodei_k8s_core.operations.get_worker_logs import get_worker_logs
from hodei_k8s_core.operations.health_check import health_check
from hodei_k8s_core.operations.list_workers import list_workers
from hodei_k8s_core.operations.preview_worker import preview_worker
from hodei_k8s_core.operations.read_capacity import read_capacity
from hodei_k8s_core.operations.reconcile import apply_plan, plan_fleet
from hodei_k8s_core.operations.run_worker import run_and_keep_worker, run_worker
from hodei_k8s_core.operations.wait_for_worker import wait_for_worker
from hodei_k8s_core.operations.wait_for_workers import wait_for_workers
from hodei_k8s_core.operations.watch_workers import watch_workers
from hodei_k8s_core.operations.worker_status import describe_worker, find_worker, get_worker_status

__all__ = [
    "adopt_or_create_worker",
    "apply_plan",
    "assign_job",
    "can_fulfill",
    "capabilities",
    "confirm_fulfillment",
    "create_worker",
    "describe_capacity",
    "describe_worker",
    "begin_destroy_worker",
    "destroy_worker",
    "destroy_worker_by_id",
    "destroy_worker_with_report",
    "drain_worker",
    "ensure_namespace",
    "explain_fulfillment",
    "find_worker",
    "follow_worker_logs",
    "force_destroy_worker",
    "get_worker_logs",
    "get_worker_status",
    "health_check",
    "list_workers",
    "new_creation_token",
    "preview_worker",
    "plan_fleet",
    "read_capacity",
    "release_job",
    "run_and_keep_worker",
    "run_worker",
    "wait_for_worker",
    "wait_for_workers",
    "watch_workers",
    "with_deadline",
]
