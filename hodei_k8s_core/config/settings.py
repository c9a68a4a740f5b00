"""The one table of settings: names, variables, forms and meanings; and the rules that span more than one of them.

`KubernetesConfig`, `from_env`, the table in the README and ConfigMaps are all made from it. A setting of a part has a
dotted name (`retry.budget`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hodei_k8s_core.config import setting_kinds as kinds
from hodei_k8s_core.config.document import parse_profiles, read_profiles, write_profiles
from hodei_k8s_core.config.profile import overlaid, profiles_faults
from hodei_k8s_core.config.reconcile_policy import RECONCILE_CHECKS as RECONCILE
from hodei_k8s_core.config.retry_policy import RETRY_CHECKS as RETRY
from hodei_k8s_core.config.setting import Kind, Setting
from hodei_k8s_core.config.setting_text import to_json
from hodei_k8s_core.config.startup_policy import STARTUP_CHECKS as STARTUP
from hodei_k8s_core.config.watch_policy import WATCH_CHECKS as WATCH
from hodei_k8s_core.config.watch_policy import timeout_faults
from hodei_k8s_core.errors import Fault
from hodei_k8s_core.names import dns_label_problem, dns_subdomain_problem, label_value_problem
from hodei_k8s_core.quantity import parse_quantity
from hodei_k8s_core.spec.host_names import dns_faults
from hodei_k8s_core.spec.security_profile import SecurityProfile
from hodei_k8s_core.strategic_merge import InvalidPatch
from hodei_k8s_core.validation import (
    MAX_INT32,
    filled_text_problem,
    item,
    number,
    number_above,
    text_that,
    whole_number,
    within,
    word_problem,
)


def _provider_id_problem(text: str) -> str | None:
    return label_value_problem(text) if text else "must not be empty"


PER_WORKER: Final = (
    *("image", "service_account", "image_pull_secrets", "labels", "annotations", "node_selector", "tolerations"),
    *("affinity", "topology_spread_constraints", "priority_class", "runtime_class", "dns_policy", "dns_config"),
    *("host_aliases", "default_cpu_request", "default_memory_request", "default_cpu_limit", "default_memory_limit"),
    *("cpu_limit", "security_profile", "run_as_user", "fs_group", "readiness_probe", "pod_template"),
    *("protect_from_disruption", "ttl_seconds_after_finished"),
)
"""What a profile may override: read for each worker, when its Pod is built, and by nothing else."""

_TIME: Final = kinds.seconds(number_above(0))
_ID: Final = kinds.optional_whole(whole_number(0, MAX_INT32))
_PATH: Final = kinds.optional_text(filled_text_problem)
_IMAGE: Final = kinds.optional_text(word_problem)
_PROFILES: Final = Kind(
    written="a JSON object of settings by profile, or TOML",
    parse=lambda text: read_profiles(parse_profiles(text), OF_PROFILES),
    format=lambda value: to_json(write_profiles(value, OF_PROFILES)) if value else "",
    read=lambda value: read_profiles(value, OF_PROFILES),
    write=lambda value: write_profiles(value, OF_PROFILES),
    faults=lambda field, value: profiles_faults(field, value, OF_PROFILES),
)
_OBJECT: Final = kinds.optional_text(text_that(dns_subdomain_problem))

SETTINGS: Final[tuple[Setting, ...]] = (
    Setting("namespace", kinds.text(text_that(dns_label_problem)), "where all workers live; never the context's own"),
    Setting("kubeconfig_path", _PATH, "a kubeconfig file; unset: in the cluster, or the default kubeconfig"),
    Setting("context", _PATH, "a context of the kubeconfig; unset: its current one"),
    Setting("provider_id", kinds.text(text_that(_provider_id_problem)), "whose workers these are"),
    Setting("image", _IMAGE, "of a worker whose spec names none"),
    Setting("service_account", _OBJECT, "the workers' service account; unset: the namespace's default"),
    Setting("image_pull_secrets", kinds.NAMES, "Secrets that images are pulled with"),
    Setting("labels", kinds.LABELS, "labels of every worker; a worker's own win"),
    Setting("annotations", kinds.ANNOTATIONS, "annotations of every worker; a worker's own win"),
    Setting("node_selector", kinds.NODE_SELECTOR, "labels that a worker's node must have"),
    Setting("tolerations", kinds.TOLERATIONS, "taints of nodes that workers put up with"),
    Setting("affinity", kinds.AFFINITY, "nodeAffinity, podAffinity, podAntiAffinity"),
    Setting("topology_spread_constraints", kinds.TOPOLOGY_SPREAD, "how evenly workers are spread over zones or nodes"),
    Setting("priority_class", _OBJECT, "the workers' PriorityClass; unset: the cluster's default"),
    Setting("runtime_class", _OBJECT, "the workers' RuntimeClass; unset: the nodes' own runtime"),
    Setting("dns_policy", kinds.DNS_POLICY, "how workers resolve names; unset: ClusterFirst"),
    Setting("dns_config", kinds.DNS_CONFIG, "name servers, search domains, options; besides what the policy gives"),
    Setting("host_aliases", kinds.HOST_ALIASES, "lines of the workers' hosts file"),
    Setting("node_pools", kinds.NODE_POOLS, "the nodes that an autoscaler can add, to know whether a worker would fit"),
    Setting("default_cpu_request", kinds.CPU, "for a worker that asks for no resources"),
    Setting("default_memory_request", kinds.MEMORY, "for a worker that asks for no resources"),
    Setting("default_cpu_limit", kinds.CPU, "for a worker that asks for no resources"),
    Setting("default_memory_limit", kinds.MEMORY, "for a worker that asks for no resources"),
    Setting("cpu_limit", kinds.BOOL, "whether CPU is limited at all; false: only requested"),
    Setting("security_profile", kinds.PROFILE, "the Pod Security Standard that workers pass"),
    Setting("run_as_user", _ID, "the numeric user of workers; none: the image's own"),
    Setting("fs_group", _ID, "the group that owns workers' volumes; none: no group"),
    Setting("readiness_probe", kinds.PROBE, "when a worker is ready; unset: as soon as its process started"),
    Setting(
        "pod_template", kinds.POD_TEMPLATE, "the Pod that every worker's is merged onto, as `kubectl patch` does it"
    ),
    Setting("profiles", _PROFILES, "settings that differ for the workers whose spec names the profile"),
    Setting("protect_from_disruption", kinds.BOOL, "ask autoscalers to leave nodes with workers alone"),
    Setting("otp_delivery", kinds.OTP_DELIVERY, "how a worker gets its OTP: in its Pod, or in a Secret of its own"),
    Setting("grace_period", kinds.seconds(number(1, MAX_INT32)), "to end by itself, when destroyed; sent rounded up"),
    Setting("ttl_seconds_after_finished", kinds.seconds(number(0)), "how long a finished worker is kept"),
    Setting("creation_timeout", _TIME, "until the API server accepted a worker"),
    Setting("destroy_timeout", _TIME, "until a worker is gone"),
    Setting("operation_timeout", _TIME, "for every other operation, with its retries"),
    Setting("request_timeout", _TIME, "for one request"),
    Setting("silence_limit", _TIME, "silence on a watch that counts as a lost connection"),
    Setting("outage_limit", _TIME, "how long a followed log outlives an API server that does not answer"),
    Setting("capacity_lifetime", kinds.seconds(number(0)), "how long what was read of the cluster's capacity is used"),
    Setting("log_levels", kinds.BOOL, "whether the level of a log line is looked for; false: all are INFO"),
    Setting("max_response_bytes", kinds.size(whole_number(1)), "the largest reply that is read"),
    Setting("http", kinds.HTTP, "the code under our own connections; httpx where a proxy speaks SOCKS, all the same"),
    Setting("retry.max_attempts", kinds.whole(RETRY["max_attempts"]), "of one request, the first included"),
    Setting("retry.first_delay", kinds.seconds(RETRY["first_delay"]), "before the first retry"),
    Setting("retry.factor", kinds.ratio(RETRY["factor"]), "by which each delay is longer than the one before"),
    Setting("retry.max_delay", kinds.seconds(RETRY["max_delay"]), "the longest delay of our own choice"),
    Setting("retry.jitter", kinds.ratio(RETRY["jitter"]), "the fraction by which a delay varies"),
    Setting("retry.budget", kinds.whole(RETRY["budget"]), "retries in hand for all operations together"),
    Setting("retry.budget_refill_per_second", kinds.ratio(RETRY["budget_refill_per_second"]), "retries that come back"),
    Setting("watch.first_delay", kinds.seconds(WATCH["first_delay"]), "before a broken watch is opened again"),
    Setting("watch.max_delay", kinds.seconds(WATCH["max_delay"]), "the longest such delay"),
    Setting("watch.delay_reset", kinds.seconds(WATCH["delay_reset"]), "a watch that lasted so long begins anew"),
    Setting("watch.timeout_min", kinds.seconds(WATCH["timeout_min"]), "the shortest watch that is asked for"),
    Setting("watch.timeout_max", kinds.seconds(WATCH["timeout_max"]), "the longest watch that is asked for"),
    Setting("reconcile.interval", kinds.seconds(RECONCILE["interval"]), "between two reconciles of `serve`"),
    Setting("reconcile.min_age", kinds.seconds(RECONCILE["min_age"]), "what is younger is never taken away"),
    Setting("reconcile.overdue", kinds.seconds(RECONCILE["overdue"]), "after a worker's lifetime, until it is removed"),
    Setting("reconcile.max_share", kinds.ratio(RECONCILE["max_share"]), "of the workers; more needs consent"),
    Setting("reconcile.free_removals", kinds.whole(RECONCILE["free_removals"]), "so many never need consent"),
    Setting("startup.schedule", kinds.seconds(STARTUP["schedule"]), "until an accepted worker has a node"),
    Setting("startup.scale_up", kinds.seconds(STARTUP["scale_up"]), "the same while an autoscaler adds a node"),
    Setting("startup.pull", kinds.seconds(STARTUP["pull"]), "then until the node has the volumes and the image"),
    Setting("startup.start", kinds.seconds(STARTUP["start"]), "then until the program runs"),
    Setting("startup.ready", kinds.seconds(STARTUP["ready"]), "then until it is ready"),
    Setting("startup.image_retries", kinds.whole(STARTUP["image_retries"]), "repeated pulls that may fail"),
    Setting("startup.restarts", kinds.whole(STARTUP["restarts"]), "of a container before it is given up"),
    Setting("startup.settle", kinds.seconds(STARTUP["settle"]), "for a Secret or claim that is about to be made"),
    Setting("startup.end", kinds.seconds(STARTUP["end"]), "by which a deletion may be late before it is stuck"),
)
SETTING_OF: Final[dict[str, Setting]] = {setting.field: setting for setting in SETTINGS}
OF_PROFILES: Final[dict[str, Setting]] = {name: SETTING_OF[name] for name in PER_WORKER}


def setting_faults(values: Mapping[str, Any]) -> list[Fault]:
    """Everything that is wrong with settings, by their dotted names. Rules about absent settings are not applied."""
    found = {name: SETTING_OF[name].kind.faults(name, value) for name, value in values.items()}
    sound = {name: value for name, value in values.items() if not found[name]}
    faults = [fault for of_one in found.values() for fault in of_one] + _spanning_faults(sound)
    return faults + _faults_of_profiles(sound, faults)


def _faults_of_profiles(values: Mapping[str, Any], known: Sequence[Fault]) -> list[Fault]:
    """What is wrong only with the whole of a profile and the other settings."""
    rest = {name: value for name, value in values.items() if name != "profiles"}
    found = []
    for name, profile in values.get("profiles", {}).items():
        try:
            faults = setting_faults(overlaid(rest, profile))
        except InvalidPatch as error:
            faults = [Fault(f"pod_template.{error.path}", error.problem)]
        found += within(item("profiles", name), [fault for fault in faults if fault not in known])
    return found


def _spanning_faults(values: Mapping[str, Any]) -> list[Fault]:
    found = _limit_faults(values, "memory")
    if values.get("cpu_limit"):
        found += _limit_faults(values, "cpu")
    if values.get("security_profile") is SecurityProfile.RESTRICTED and values.get("run_as_user") == 0:
        found.append(Fault("run_as_user", "must not be 0 (root) under the security profile restricted"))
    if {"dns_policy", "dns_config"} <= values.keys():
        found += dns_faults(values["dns_policy"], values["dns_config"])
    if {"watch.timeout_min", "watch.timeout_max"} <= values.keys():
        found += within("watch", timeout_faults(values["watch.timeout_min"], values["watch.timeout_max"]))
    return found


def _limit_faults(values: Mapping[str, Any], resource: str) -> list[Fault]:
    request, limit = f"default_{resource}_request", f"default_{resource}_limit"
    if not {request, limit} <= values.keys() or parse_quantity(values[request]) <= parse_quantity(values[limit]):
        return []
    return [Fault(request, f"{values[request]} is more than {limit}, {values[limit]}")]
