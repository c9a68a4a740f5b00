"""`KubernetesConfig.from_env`: every setting from its variable, and every fault at once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hodei_k8s_core.config import KubernetesConfig, flat_values
from hodei_k8s_core.config.node_pool import NodePool, PoolTaint
from hodei_k8s_core.config.settings import SETTING_OF, SETTINGS
from hodei_k8s_core.errors import ConfigurationError
from hodei_k8s_core.spec.toleration import Toleration
from tests.core.test_config import FULL
from tests.core.thoroughness import examples

FULL_ENVIRONMENT = KubernetesConfig(**FULL).to_env()


def faults(**environ):
    with pytest.raises(ConfigurationError) as caught:
        KubernetesConfig.from_env({f"HODEI_K8S_{name}": value for name, value in environ.items()})
    return caught.value.faults


def test_an_empty_environment_gives_the_defaults():
    assert KubernetesConfig.from_env({}) == KubernetesConfig()
    assert KubernetesConfig.from_env({"PATH": "/bin", "KUBECONFIG": "x", "HODEI_SERVER": "y"}) == KubernetesConfig()
    assert KubernetesConfig().to_env() == {}


def test_every_setting_goes_through_the_environment_and_back():
    assert set(FULL_ENVIRONMENT) == {setting.variable for setting in SETTINGS}
    assert KubernetesConfig.from_env(FULL_ENVIRONMENT) == KubernetesConfig(**FULL)


@pytest.mark.parametrize("name", [setting.field for setting in SETTINGS])
def test_each_variable_sets_its_own_setting_only(name: str):
    # Some depend on each other: the DNS policy on its servers, root on the profile, the watch's times and the requests
    # on their limits.
    needed = {
        "dns_policy": "dns_config",
        "run_as_user": "security_profile",
        "profiles": "security_profile",
        "default_memory_request": "default_memory_limit",
        "watch.timeout_max": "watch.timeout_min",
    }
    names = [name, needed[name]] if name in needed else [name]
    config = KubernetesConfig.from_env({v: FULL_ENVIRONMENT[v] for v in (SETTING_OF[n].variable for n in names)})
    values, defaults, full = (flat_values(c) for c in (config, KubernetesConfig(), KubernetesConfig(**FULL)))
    assert {n for n in values if values[n] != defaults[n]} == set(names)
    assert all(values[n] == full[n] for n in names)


@pytest.mark.parametrize(
    ("field", "variable"),
    [
        ("namespace", "HODEI_K8S_NAMESPACE"),
        ("kubeconfig_path", "HODEI_K8S_KUBECONFIG"),
        ("context", "HODEI_K8S_CONTEXT"),
        ("service_account", "HODEI_K8S_SERVICE_ACCOUNT"),
        ("image_pull_secrets", "HODEI_K8S_IMAGE_PULL_SECRET"),
        ("default_cpu_request", "HODEI_K8S_DEFAULT_CPU_REQUEST"),
        ("default_memory_request", "HODEI_K8S_DEFAULT_MEMORY_REQUEST"),
        ("default_cpu_limit", "HODEI_K8S_DEFAULT_CPU_LIMIT"),
        ("default_memory_limit", "HODEI_K8S_DEFAULT_MEMORY_LIMIT"),
        ("ttl_seconds_after_finished", "HODEI_K8S_TTL_SECONDS_AFTER_FINISHED"),
        ("retry.max_attempts", "HODEI_K8S_RETRY_MAX_ATTEMPTS"),
        ("watch.first_delay", "HODEI_K8S_WATCH_FIRST_DELAY"),
    ],
)
def test_the_variables_are_called_as_documented(field: str, variable: str):
    assert SETTING_OF[field].variable == variable


READ = [
    ("IMAGE_PULL_SECRET", "one", "image_pull_secrets", ("one",)),
    ("IMAGE_PULL_SECRET", "one, two", "image_pull_secrets", ("one", "two")),
    ("LABELS", "a=b", "labels", {"a": "b"}),
    ("LABELS", "a=b, c/d=,e=f", "labels", {"a": "b", "c/d": "", "e": "f"}),
    ("LABELS", '{"a": "b"}', "labels", {"a": "b"}),
    ("ANNOTATIONS", "a=b=c", "annotations", {"a": "b=c"}),
    ("ANNOTATIONS", ' {"a": "b, c"}', "annotations", {"a": "b, c"}),
    ("NODE_SELECTOR", "app=x,hodei.io/pool=ci", "node_selector", {"app": "x", "hodei.io/pool": "ci"}),
    ("TOLERATIONS", "gpu", "tolerations", (Toleration(key="gpu", operator="Exists"),)),
    ("TOLERATIONS", "a=:NoExecute", "tolerations", (Toleration(key="a", effect="NoExecute"),)),
    (
        "TOLERATIONS",
        "a=b:NoSchedule,c:NoExecute",
        "tolerations",
        (
            Toleration(key="a", value="b", effect="NoSchedule"),
            Toleration(key="c", operator="Exists", effect="NoExecute"),
        ),
    ),
    (
        "TOLERATIONS",
        '[{"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}]',
        "tolerations",
        (Toleration(key="a", operator="Exists", effect="NoExecute", toleration_seconds=5),),
    ),
    ("AFFINITY", '{"podAntiAffinity": {}}', "affinity", {"podAntiAffinity": {}}),
    ("AFFINITY", "null", "affinity", None),
    (
        "NODE_POOLS",
        '[{"name": "a", "cpu": "4", "memory": "8Gi", "maxNodes": 3, "taints": [{"key": "gpu"}]}]',
        "node_pools",
        (NodePool(name="a", cpu="4", memory="8Gi", max_nodes=3, taints=(PoolTaint(key="gpu"),)),),
    ),
    ("CPU_LIMIT", "0", "cpu_limit", False),
    ("CPU_LIMIT", "FALSE", "cpu_limit", False),
    ("CPU_LIMIT", "1", "cpu_limit", True),
    ("CPU_LIMIT", "True", "cpu_limit", True),
    ("RUN_AS_USER", "none", "run_as_user", None),
    ("RUN_AS_USER", "None", "run_as_user", None),
    ("RUN_AS_USER", "65534", "run_as_user", 65534),
    ("FS_GROUP", "none", "fs_group", None),
    ("MAX_RESPONSE_BYTES", "1048576", "max_response_bytes", 1048576),
    ("HTTP", "httpx", "http", "httpx"),
    ("HTTP", "h11", "http", "h11"),
    ("OTP_DELIVERY", "secret", "otp_delivery", "secret"),
    ("MAX_RESPONSE_BYTES", "8Mi", "max_response_bytes", 8 * 1024 * 1024),
    ("GRACE_PERIOD", "1.5", "grace_period", 1.5),
    ("GRACE_PERIOD", "1e1", "grace_period", 10.0),
    ("SECURITY_PROFILE", "Privileged", "security_profile", FULL["security_profile"].PRIVILEGED),
    ("NAMESPACE", "", "namespace", "hodei-workers"),
    ("RUN_AS_USER", "", "run_as_user", 1000),
]


@pytest.mark.parametrize(("variable", "text", "name", "value"), READ)
def test_the_forms_in_which_settings_are_written(variable: str, text: str, name: str, value):
    assert flat_values(KubernetesConfig.from_env({f"HODEI_K8S_{variable}": text}))[name] == value


REFUSED = [
    ("NAMESPACE", "A", "lower-case"),
    ("NAMESPACE", " ", "lower-case"),
    ("NAMESPACE", "a\0", "NUL"),
    ("NAMESPACE", 3, "must be text, not int"),
    ("KUBECONFIG", "  ", "must not be empty"),
    ("IMAGE_PULL_SECRET", "one,,two", "empty item"),
    ("IMAGE_PULL_SECRET", "one,Two", "lower-case"),
    ("LABELS", "a", "no '=' in 'a'"),
    ("LABELS", "a=b,a=c", "'a' is there more than once"),
    ("LABELS", "a=b,", "empty item"),
    ("LABELS", "app=x", "reserved"),
    ("LABELS", '{"a": 3}', "must be text, not int"),
    ("LABELS", '{"a": ', "is not JSON"),
    ("LABELS", '{"a": "\ud800"}', "must be valid Unicode"),
    ("TOLERATIONS", "a=b:NoRun", "NoRun"),
    ("TOLERATIONS", "=b", "must be Exists when the key is empty"),
    ("TOLERATIONS", "[", "is not JSON"),
    ("TOLERATIONS", '["a"]', "object"),
    ("TOLERATIONS", '[{"key": "a", "effekt": "x"}]', "effekt"),
    ("TOLERATIONS", '[{"key": "a", "tolerationSeconds": "x"}]', "tolerationSeconds"),
    ("AFFINITY", "x", "is not JSON"),
    ("AFFINITY", "[]", "must be a mapping"),
    ("AFFINITY", '{"nodes": {}}', "podAntiAffinity"),
    ("NODE_POOLS", "{}", "must be a list"),
    ("NODE_POOLS", '[{"name": "a", "cpu": "4"}]', "memory"),
    ("NODE_POOLS", '[{"name": "a", "cpu": "4", "memory": "x"}]', "not a quantity"),
    ("READINESS_PROBE", "{", "is not JSON"),
    ("READINESS_PROBE", "{}", "exactly one"),
    ("READINESS_PROBE", '{"tcpSocket": {"port": 0}}', "at least 1"),
    ("DEFAULT_CPU_REQUEST", "100mb", "suffix"),
    ("DEFAULT_MEMORY_LIMIT", "64Mi", "more than default_memory_limit"),
    ("CPU_LIMIT", "yes", "must be one of 1, true, 0, false"),
    ("SECURITY_PROFILE", "strict", "restricted, baseline, privileged"),
    ("RUN_AS_USER", "nobody", "must be a whole number"),
    ("RUN_AS_USER", "1_000", "must be a whole number"),
    ("RUN_AS_USER", "0", "root"),
    ("RUN_AS_USER", "9" * 5000, "must be a whole number"),
    ("GRACE_PERIOD", "0", "at least 1"),
    ("GRACE_PERIOD", "30s", "must be a number"),
    ("GRACE_PERIOD", "nan", "must be a number"),
    ("CREATION_TIMEOUT", "inf", "must be a number"),
    ("CREATION_TIMEOUT", "1e999", "must be a finite number"),
    ("CREATION_TIMEOUT", "\u0661", "must be a number"),
    ("MAX_RESPONSE_BYTES", "8MB", "M is one"),
    ("MAX_RESPONSE_BYTES", "-1", "at least 1"),
    ("RETRY_MAX_ATTEMPTS", "0", "at least 1"),
    ("RETRY_JITTER", "2", "at most 1"),
    ("WATCH_TIMEOUT_MIN", "601", "more than timeout_max"),
    ("PROVIDER_ID", "a b", "letters"),
]


@pytest.mark.parametrize(("variable", "text", "problem"), REFUSED)
def test_a_fault_names_the_setting_the_variable_and_the_problem(variable: str, text, problem: str):
    found = [f for f in faults(**{variable: text}) if f"(HODEI_K8S_{variable})" in f.field] or faults(
        **{variable: text}
    )
    (setting,) = [s for s in SETTINGS if s.variable == f"HODEI_K8S_{variable}"]
    assert any(problem in fault.problem for fault in found)
    if setting.field != "default_memory_limit":
        assert found[0].field.startswith(setting.field)
        assert found[0].field.endswith(f" ({setting.variable})")


def test_every_variable_has_a_wrong_text_that_is_refused_by_name():
    wrong = dict.fromkeys((s.variable for s in SETTINGS), "\0")
    with pytest.raises(ConfigurationError) as caught:
        KubernetesConfig.from_env(wrong)
    assert sorted(f.field for f in caught.value.faults) == sorted(f"{s.field} ({s.variable})" for s in SETTINGS)


def test_all_faults_are_told_at_once():
    found = faults(NAMESPACE="A", GRACE_PERIOD="x", TOLERATIONS="a:X,b:Y", COLOUR="red", RETRY_FACTOR="0")
    assert [fault.field for fault in found] == [
        "tolerations[0].effect (HODEI_K8S_TOLERATIONS)",
        "tolerations[1].effect (HODEI_K8S_TOLERATIONS)",
        "grace_period (HODEI_K8S_GRACE_PERIOD)",
        "HODEI_K8S_COLOUR",
        "namespace (HODEI_K8S_NAMESPACE)",
        "retry.factor (HODEI_K8S_RETRY_FACTOR)",
    ]


def test_a_setting_that_cannot_be_read_is_not_judged_by_its_default():
    (fault,) = faults(WATCH_TIMEOUT_MAX="x", WATCH_TIMEOUT_MIN="700")
    assert fault.field == "watch.timeout_max (HODEI_K8S_WATCH_TIMEOUT_MAX)"


@pytest.mark.parametrize(
    ("unknown", "nearest"),
    [
        ("HODEI_K8S_NAMESPCE", "HODEI_K8S_NAMESPACE"),
        ("HODEI_K8S_IMAGE_PULL_SECRETS", "HODEI_K8S_IMAGE_PULL_SECRET"),
        ("HODEI_K8S_KUBECONFIG_PATH", "HODEI_K8S_KUBECONFIG"),
        ("HODEI_K8S_KUBE_CONFIG", "HODEI_K8S_KUBECONFIG"),
        ("HODEI_K8S_CPU_REQUEST", "HODEI_K8S_DEFAULT_CPU_REQUEST"),
        ("HODEI_K8S_SERVICEACCOUNT", "HODEI_K8S_SERVICE_ACCOUNT"),
        ("HODEI_K8S_TOLERATION", "HODEI_K8S_TOLERATIONS"),
        ("HODEI_K8S_RETRY_ATTEMPTS", "HODEI_K8S_RETRY_MAX_ATTEMPTS"),
        ("HODEI_K8S_namespace", ""),
        ("HODEI_K8S_", ""),
    ],
)
def test_an_unknown_variable_is_a_fault_that_suggests_the_nearest(unknown: str, nearest: str):
    for value in ("hunter2", ""):
        with pytest.raises(ConfigurationError) as caught:
            KubernetesConfig.from_env({unknown: value})
        (fault,) = caught.value.faults
        assert fault.field == unknown
        assert fault.problem.endswith(f"the nearest one is {nearest}") or not nearest
        assert "hunter2" not in str(caught.value)


SERVICE_LINKS = [
    "SERVICE_HOST",
    "SERVICE_PORT",
    "SERVICE_PORT_HTTP",
    "SERVICE_PORT_GRPC_WEB",
    "PORT",
    "PORT_443_TCP",
    "PORT_443_TCP_PROTO",
    "PORT_443_TCP_PORT",
    "PORT_443_TCP_ADDR",
    "PORT_53_UDP_ADDR",
    "PORT_9_SCTP_PORT",
]


def test_what_kubernetes_injects_for_a_service_of_our_name_is_none_of_ours():
    for service in ("", "METRICS_", "2_"):
        links = {f"HODEI_K8S_{service}{name}": "tcp://10.0.0.1:443" for name in SERVICE_LINKS}
        assert KubernetesConfig.from_env(links) == KubernetesConfig()


@pytest.mark.parametrize(
    "name",
    [
        "SERVICE",
        "SERVICE_HOST_X",
        "SERVICE_PORTS",
        "PORT_443",
        "PORT_X_TCP",
        "PORT_443_HTTP",
        "PORT_443_TCP_NAME",
        "X_PORT",
    ],
)
def test_what_only_resembles_it_is_a_fault(name: str):
    assert [fault.field for fault in faults(**{name: "x"})] == [f"HODEI_K8S_{name}"]


def test_our_variables_that_are_no_settings_are_known():
    environ = dict.fromkeys(["HODEI_K8S_ENABLED", "HODEI_K8S_TEST", "HODEI_K8S_CLUSTERS"], "1")
    assert KubernetesConfig.from_env(environ) == KubernetesConfig()


@settings(max_examples=examples(200), deadline=None)
@given(st.dictionaries(st.sampled_from([s.variable for s in SETTINGS]), st.text(max_size=12), max_size=4))
def test_any_environment_gives_a_configuration_or_its_faults(environ):
    try:
        config = KubernetesConfig.from_env(environ)
    except ConfigurationError as error:
        told = error.faults
    else:
        told = ()
        assert KubernetesConfig.from_env(config.to_env()) == config
    # A request may be more than the limit that was set: then the fault is told of the request.
    assert all(any(f"({name})" in f.field or "more than" in f.problem for name in environ) for f in told)


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@settings(max_examples=examples(100), deadline=None)
@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), TEXT, max_size=4))
def test_annotations_of_any_text_survive_the_environment(annotations):
    config = KubernetesConfig(annotations=annotations)
    assert KubernetesConfig.from_env(config.to_env()) == config
