"""The sans-IO core of hodei-k8s: everything that decides, and nothing that touches the world.

Values and functions to use without any transport, and the operations that drivers perform. Each name loads its module
when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hodei_k8s_core.exports import HOMES as _HOMES
from hodei_k8s_core.lazy_exports import export_lazily as _export_lazily

if TYPE_CHECKING:
    from hodei_k8s_core.access.cluster_access import ClusterAccess
    from hodei_k8s_core.access.kubeconfig import load_kubeconfig
    from hodei_k8s_core.api_status import Status, StatusCause, parse_status
    from hodei_k8s_core.audit_report import AuditReport, AuditStatus, AuditStep
    from hodei_k8s_core.capabilities import JobRequirements, ProviderCapabilities, ResourceLimits
    from hodei_k8s_core.capacity.fulfillment import Fit, Fulfillment
    from hodei_k8s_core.capacity.overview import CapacityReport
    from hodei_k8s_core.config import KubernetesConfig
    from hodei_k8s_core.config.node_pool import NodePool, PoolTaint
    from hodei_k8s_core.config.profile import Profile
    from hodei_k8s_core.config.reconcile_policy import ReconcilePolicy
    from hodei_k8s_core.config.retry_policy import RetryPolicy
    from hodei_k8s_core.config.startup_policy import StartupPolicy
    from hodei_k8s_core.config.watch_policy import WatchPolicy
    from hodei_k8s_core.coordinators import FleetLogItem
    from hodei_k8s_core.diagnosis import Examination, diagnose, examine, timeline, verdict_of_refusal
    from hodei_k8s_core.effects import (
        SILENCE,
        Close,
        Effect,
        Emit,
        Monotonic,
        Observe,
        Open,
        Operation,
        Random,
        Read,
        Send,
        Silence,
        Sleep,
        SpendRetry,
        StopRequested,
        Stream,
        WallClock,
    )
    from hodei_k8s_core.errors import (
        AuthenticationFailed,
        ConfigurationError,
        ConnectionFailed,
        Delivery,
        Fault,
        HodeiK8sError,
        Internal,
        NotReady,
        OutcomeUnknown,
        PermissionDenied,
        ProviderClosed,
        ProviderError,
        ProviderSpecific,
        ProvisioningFailed,
        ProvisioningTimeout,
        ResourceLimitExceeded,
        Timeout,
        TransportError,
        TransportFault,
        UnsupportedOperation,
        WorkerAlreadyExists,
        WorkerNotFound,
    )
    from hodei_k8s_core.event_list import EventList, parse_event_list
    from hodei_k8s_core.final_report import FinalReport
    from hodei_k8s_core.fleet_view import FleetView
    from hodei_k8s_core.http import Body, Request, Response
    from hodei_k8s_core.log_entry import GapReason, LogEntry, LogGap, LogItem, LogRestart
    from hodei_k8s_core.log_level import LogLevel
    from hodei_k8s_core.log_line import parse_log_line
    from hodei_k8s_core.manifest import build_worker_pod, encode_worker_pod
    from hodei_k8s_core.permissions import Feature, rbac_manifests
    from hodei_k8s_core.pod import Pod, PodList, parse_pod, parse_pod_list
    from hodei_k8s_core.quantity import Quantity, parse_quantity
    from hodei_k8s_core.reconcile.plan import Action, ActionKind, ActionOutcome, ActionResult, Plan
    from hodei_k8s_core.reconcile.plan_reconcile import Existing, plan_reconcile
    from hodei_k8s_core.secret import Secret
    from hodei_k8s_core.spec.environment_source import ConfigMapKey, SecretKey, WholeConfigMap, WholeSecret
    from hodei_k8s_core.spec.host_names import DnsConfig, DnsOption, HostAlias
    from hodei_k8s_core.spec.projected_volume import (
        DownwardFile,
        ProjectedConfigMap,
        ProjectedSecret,
        ProjectedVolume,
        ServiceAccountToken,
    )
    from hodei_k8s_core.spec.readiness_probe import HttpProbe, ReadinessProbe
    from hodei_k8s_core.spec.resource_requirements import ResourceRequirements
    from hodei_k8s_core.spec.security_profile import SecurityProfile
    from hodei_k8s_core.spec.sidecar import Sidecar
    from hodei_k8s_core.spec.toleration import Toleration
    from hodei_k8s_core.spec.topology_spread import TopologySpread
    from hodei_k8s_core.spec.volume_spec import (
        ConfigMapVolume,
        EphemeralClaim,
        EphemeralVolume,
        HostPathVolume,
        PersistentVolume,
        SecretVolume,
        VolumeSpec,
        WorkerClaim,
    )
    from hodei_k8s_core.spec.worker_spec import Architecture, WorkerSpec
    from hodei_k8s_core.timeline import Milestone, Timeline
    from hodei_k8s_core.verdict import Blame, Category, CauseKind, Evidence, SchedulingCause, Stage, Verdict
    from hodei_k8s_core.worker import (
        Health,
        HealthStatus,
        WorkerHandle,
        WorkerInfo,
        WorkerState,
    )
    from hodei_k8s_core.worker_change import ChangeKind, Freshness, WaitOutcome, WatchHealth, WorkerChange
    from hodei_k8s_core.worker_info import worker_info
    from hodei_k8s_core.worker_state import worker_state

__all__ = [
    "Action",
    "ActionKind",
    "ActionOutcome",
    "ActionResult",
    "Architecture",
    "AuditReport",
    "AuditStatus",
    "AuditStep",
    "AuthenticationFailed",
    "Blame",
    "Body",
    "CapacityReport",
    "Category",
    "CauseKind",
    "ChangeKind",
    "Close",
    "ClusterAccess",
    "ConfigMapKey",
    "ConfigMapVolume",
    "ConfigurationError",
    "ConnectionFailed",
    "Delivery",
    "DnsConfig",
    "DnsOption",
    "DownwardFile",
    "Effect",
    "Emit",
    "EphemeralClaim",
    "EphemeralVolume",
    "EventList",
    "Evidence",
    "Examination",
    "Existing",
    "Fault",
    "Feature",
    "FinalReport",
    "Fit",
    "FleetLogItem",
    "FleetView",
    "Freshness",
    "Fulfillment",
    "GapReason",
    "Health",
    "HealthStatus",
    "HodeiK8sError",
    "HostAlias",
    "HostPathVolume",
    "HttpProbe",
    "Internal",
    "JobRequirements",
    "KubernetesConfig",
    "LogEntry",
    "LogGap",
    "LogItem",
    "LogLevel",
    "LogRestart",
    "Milestone",
    "Monotonic",
    "NodePool",
    "NotReady",
    "Observe",
    "Open",
    "Operation",
    "OutcomeUnknown",
    "PermissionDenied",
    "PersistentVolume",
    "Plan",
    "Pod",
    "PodList",
    "PoolTaint",
    "Profile",
    "ProjectedConfigMap",
    "ProjectedSecret",
    "ProjectedVolume",
    "ProviderCapabilities",
    "ProviderClosed",
    "ProviderError",
    "ProviderSpecific",
    "ProvisioningFailed",
    "ProvisioningTimeout",
    "Quantity",
    "Random",
    "Read",
    "ReadinessProbe",
    "ReconcilePolicy",
    "Request",
    "ResourceLimitExceeded",
    "ResourceLimits",
    "ResourceRequirements",
    "Response",
    "RetryPolicy",
    "SILENCE",
    "SchedulingCause",
    "Secret",
    "SecretKey",
    "SecretVolume",
    "SecurityProfile",
    "Send",
    "ServiceAccountToken",
    "Sidecar",
    "Silence",
    "Sleep",
    "SpendRetry",
    "Stage",
    "StartupPolicy",
    "Status",
    "StatusCause",
    "StopRequested",
    "Stream",
    "Timeline",
    "Timeout",
    "Toleration",
    "TopologySpread",
    "TransportError",
    "TransportFault",
    "UnsupportedOperation",
    "Verdict",
    "VolumeSpec",
    "WaitOutcome",
    "WallClock",
    "WatchHealth",
    "WatchPolicy",
    "WholeConfigMap",
    "WholeSecret",
    "WorkerAlreadyExists",
    "WorkerChange",
    "WorkerClaim",
    "WorkerHandle",
    "WorkerInfo",
    "WorkerNotFound",
    "WorkerSpec",
    "WorkerState",
    "build_worker_pod",
    "diagnose",
    "encode_worker_pod",
    "examine",
    "load_kubeconfig",
    "parse_event_list",
    "parse_log_line",
    "parse_pod",
    "parse_pod_list",
    "parse_quantity",
    "parse_status",
    "plan_reconcile",
    "rbac_manifests",
    "timeline",
    "verdict_of_refusal",
    "worker_info",
    "worker_state",
]

_export_lazily(__name__, _HOMES)
