"""What is asked, as data: no step needs a kubelet. `{ns}`, `{uid:NAME}` and `{rv:NAME}` are filled in by who asks."""

from __future__ import annotations

from typing import Any

import msgspec

Json = dict[str, Any]
NS = "/api/v1/namespaces/{ns}"
PODS = f"{NS}/pods"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/{ns}/leases"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"


class Step(msgspec.Struct, frozen=True):
    """One request. `pause`: seconds before it, for what controllers do. `watch`: read its events for a second."""

    method: str
    path: str
    body: Any = None
    query: tuple[tuple[str, str], ...] = ()
    content: str = "application/json"
    pause: float = 0.0


def pod(name: str = "p", own: Json | None = None, **spec: Any) -> Json:
    """A Pod that no node takes. `own`: the resources of its container."""
    container = {"name": "worker", "image": "localhost/worker:1", **({"resources": own} if own else {})}
    meta = {"name": name, "labels": {"app": "x"}} if not name.endswith("-") else {"generateName": name}
    whole = {"restartPolicy": "Never", "nodeSelector": {"hodei.test/none": "true"}, "containers": [container], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": whole}


def amounts(requests: Json | None = None, limits: Json | None = None) -> Json:
    return {key: value for key, value in (("requests", requests), ("limits", limits)) if value}


def named(kind: str, api_version: str = "v1", **content: Any) -> Json:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "o"}, **content}


def post(path: str, body: Any, *query: tuple[str, str], pause: float = 0.0) -> Step:
    return Step("POST", path, body, query, pause=pause)


def patch(path: str, body: Any, content: str = MERGE) -> Step:
    return Step("PATCH", path, body, content=content)


def get(path: str, *query: tuple[str, str], pause: float = 0.0) -> Step:
    return Step("GET", path, None, query, pause=pause)


def delete(path: str, body: Any = None, *query: tuple[str, str]) -> Step:
    return Step("DELETE", path, body, query)


def plain(path: str, item: Json) -> list[Step]:
    """The life of an object to which nothing happens."""
    kind = {"kind": item["kind"], "apiVersion": item["apiVersion"]}
    changed = {**item, "metadata": {"name": "o", "labels": {"x": "y"}, "resourceVersion": "{rv:o}"}}
    return [
        post(path, item),
        post(path, item),
        post(path, {**item, "metadata": {"name": "Bad_Name"}}),
        post(path, {**kind, "metadata": {}}),
        get(f"{path}/o"),
        get(path, ("labelSelector", "x=y")),
        Step("PUT", f"{path}/o", changed),
        Step("PUT", f"{path}/o", {**changed, "metadata": {**changed["metadata"], "resourceVersion": "1"}}),
        Step("PUT", f"{path}/o", {**item, "metadata": {"name": "other"}}),
        get(path, ("labelSelector", "x=y")),
        patch(f"{path}/o", {"metadata": {"annotations": {"q": "1", "r": "2"}}}),
        patch(f"{path}/o", {"metadata": {"annotations": {"q": None}, "labels": {"z": "1"}}}, STRATEGIC),
        patch(f"{path}/o", {"metadata": {"resourceVersion": "1"}}),
        Step("PUT", path, changed),
        delete(f"{path}/o", {"preconditions": {"uid": "zzz"}}),
        delete(f"{path}/o", None, ("dryRun", "All")),
        delete(f"{path}/o", {"dryRun": ["All"], "preconditions": {"uid": "{uid:o}"}}),
        delete(f"{path}/o", {"preconditions": {"uid": "{uid:o}"}}),
        delete(f"{path}/o"),
        get(f"{path}/o"),
        patch(f"{path}/o", {"metadata": {}}),
    ]


SMALL = amounts({"cpu": "100m", "memory": "64Mi"}, {"cpu": "200m", "memory": "128Mi"})
GATED = pod("g", schedulingGates=[{"name": "hodei.test/a"}, {"name": "hodei.test/b"}])
SCENARIOS: dict[str, list[Step]] = {
    "secrets": plain(f"{NS}/secrets", named("Secret", stringData={"a": "b"})),
    "configmaps": plain(f"{NS}/configmaps", named("ConfigMap", data={"a": "b"})),
    "leases": plain(LEASES, named("Lease", "coordination.k8s.io/v1", spec={"holderIdentity": "me"})),
    "lease by put": [
        Step("PUT", f"{LEASES}/n", {**named("Lease", "coordination.k8s.io/v1"), "metadata": {"name": "n"}}),
        Step("PUT", f"{LEASES}/n", {**named("Lease", "coordination.k8s.io/v1"), "metadata": {"name": "n"}}),
        delete(f"{LEASES}/n"),
    ],
    "pod": [
        post(PODS, pod(), ("dryRun", "All")),
        post(PODS, pod()),
        post(PODS, pod()),
        get(f"{PODS}/p", pause=1),
        post(PODS, pod("gen-")),
        get(f"{NS}/pods", ("labelSelector", "app=x")),
        get(f"{NS}/pods", ("labelSelector", "app in (x,y),app!=z"), ("fieldSelector", "spec.nodeName=")),
        get(f"{NS}/pods", ("fieldSelector", "status.phase!=Pending")),
        get(f"{NS}/pods", ("fieldSelector", "spec.image=x")),
        patch(f"{PODS}/p", {"metadata": {"annotations": {"a": "1"}}}),
        patch(f"{PODS}/p", {"metadata": {"labels": {"b": "2"}}}, STRATEGIC),
        patch(f"{PODS}/p", {"spec": {"containers": [{"name": "worker", "image": "localhost/worker:2"}]}}, STRATEGIC),
        patch(f"{PODS}/p", {"metadata": {"uid": "zzz"}}),
        patch(f"{PODS}/p", {"metadata": {"name": "other"}}),
        patch(f"{PODS}/p", {"metadata": {"labels": {"b": "not valid!"}}}),
        patch(f"{PODS}/p", {"metadata": {"finalizers": ["no-slash"]}}),
        patch(f"{PODS}/p", {"spec": {"activeDeadlineSeconds": 600}}),
        delete(f"{PODS}/p", {"preconditions": {"uid": "zzz"}}),
        delete(f"{PODS}/p", {"preconditions": {"resourceVersion": "1"}}),
        delete(f"{PODS}/p", {"preconditions": {"uid": "{uid:p}"}}),
        delete(f"{PODS}/p"),
        delete(PODS, None, ("labelSelector", "app=nothing")),
        delete(PODS),
        get(PODS),
    ],
    "what a Pod may not be": [
        post(PODS, {**pod(), "metadata": {"name": "Up"}}),
        post(PODS, pod(containers=[])),
        post(PODS, pod("r", amounts({"cpu": "2", "memory": "1Gi"}, {"cpu": "1", "memory": "1Gi"}))),
        post(PODS, pod(containers=[{"name": "a", "image": "x"}, {"name": "a", "image": "x"}])),
        post(PODS, pod(containers=[{"name": "A_", "image": ""}])),
        post(PODS, pod(restartPolicy="Sometimes")),
        post(PODS, pod(serviceAccountName="nobody")),
        post(PODS, pod(priorityClassName="nothing")),
        post(PODS, pod(runtimeClassName="nothing")),
        post("/api/v1/namespaces/nowhere/pods", pod()),
        Step("GET", f"{PODS}/absent"),
        Step("GET", "/api/v1/nothing"),
        Step("PUT", PODS, pod()),
        Step("PATCH", f"{PODS}/absent", {}, content="application/json"),
    ],
    "amounts of the whole Pod": [
        post(
            PODS,
            pod("a", amounts({"cpu": "300m"}), resources={"limits": {"cpu": "2", "memory": "1Gi"}}),
            ("dryRun", "All"),
        ),
        post(
            PODS,
            pod("a", initContainers=[{"name": "i", "image": "x", "resources": {"limits": {"cpu": "1"}}}]),
            ("dryRun", "All"),
        ),
    ],
    "gates": [
        post(PODS, GATED),
        get(f"{PODS}/g", pause=0.5),
        patch(f"{PODS}/g", {"spec": {"schedulingGates": [{"name": "hodei.test/c"}]}}),
        patch(f"{PODS}/g", {"spec": {"schedulingGates": [{"name": "hodei.test/b"}]}}),
        patch(f"{PODS}/g", {"spec": {"schedulingGates": None}}),
        get(f"{PODS}/g", pause=1.0),
        delete(f"{PODS}/g"),
    ],
    "gates by a strategic patch": [
        post(PODS, GATED),
        patch(
            f"{PODS}/g",
            {"spec": {"schedulingGates": [{"$patch": "delete", "name": "hodei.test/a"}]}},
            STRATEGIC,
        ),
        delete(f"{PODS}/g"),
    ],
    "finalizers": [
        post(PODS, {**pod("f"), "metadata": {"name": "f", "finalizers": ["hodei.test/hold"]}}),
        get(f"{PODS}/f", pause=1.0),
        delete(f"{PODS}/f"),
        post(PODS, pod("f")),
        patch(f"{PODS}/f", {"metadata": {"finalizers": ["hodei.test/hold", "hodei.test/more"]}}),
        patch(f"{PODS}/f", {"metadata": {"finalizers": None}}),
        get(f"{PODS}/f"),
    ],
    "watch": [
        post(PODS, GATED),
        patch(f"{PODS}/g", {"metadata": {"labels": {"app": "y"}}}),
        patch(f"{PODS}/g", {"metadata": {"labels": {"app": "x"}}}),
        delete(f"{PODS}/g"),
        get(PODS, ("watch", "true"), ("resourceVersion", "{rv:first}"), ("timeoutSeconds", "1")),
        get(
            PODS,
            ("watch", "true"),
            ("resourceVersion", "{rv:first}"),
            ("timeoutSeconds", "1"),
            ("labelSelector", "app=x"),
        ),
        get(PODS, ("watch", "true"), ("resourceVersion", "zzz")),
    ],
    "pages": [
        post(f"{NS}/configmaps", {**named("ConfigMap"), "metadata": {"name": "a", "labels": {"of": "pages"}}}),
        post(f"{NS}/configmaps", {**named("ConfigMap"), "metadata": {"name": "b", "labels": {"of": "pages"}}}),
        post(f"{NS}/configmaps", {**named("ConfigMap"), "metadata": {"name": "c", "labels": {"of": "pages"}}}),
        get(f"{NS}/configmaps", ("labelSelector", "of=pages"), ("limit", "2")),
        get(f"{NS}/configmaps", ("labelSelector", "of=pages"), ("limit", "2"), ("continue", "{continue}")),
        get(f"{NS}/configmaps", ("limit", "x")),
        get(f"{NS}/configmaps", ("continue", "nonsense")),
        delete(f"{NS}/configmaps", None, ("labelSelector", "of=pages")),
        get(f"{NS}/configmaps", ("labelSelector", "of=pages")),
    ],
    "limit range": [
        post(
            f"{NS}/limitranges",
            named(
                "LimitRange",
                spec={
                    "limits": [
                        {
                            "type": "Container",
                            "max": {"cpu": "2", "memory": "1Gi"},
                            "min": {"cpu": "100m"},
                            "maxLimitRequestRatio": {"cpu": "4"},
                        },
                        {"type": "Pod", "max": {"cpu": "3"}},
                    ]
                },
            ),
        ),
        post(PODS, pod("l", amounts({"cpu": "3", "memory": "1Gi"}, {"cpu": "3", "memory": "1Gi"})), pause=1.0),
        post(PODS, pod("l", amounts({"cpu": "50m"}, {"cpu": "1", "memory": "1Gi"}))),
        post(PODS, pod("l")),
        post(PODS, pod("l", amounts({"cpu": "2500m"}))),
        post(
            PODS,
            pod(
                "l",
                containers=[
                    {"name": name, "image": "x", "resources": {"limits": {"cpu": "2", "memory": "64Mi"}}}
                    for name in ("a", "b")
                ],
            ),
        ),
        get(f"{PODS}/l", pause=1.0),
        delete(f"{PODS}/l"),
        delete(f"{NS}/limitranges/o"),
    ],
    "a limit range that wants to be told": [
        post(
            f"{NS}/limitranges",
            named(
                "LimitRange",
                spec={
                    "limits": [
                        {"type": "Pod", "max": {"cpu": "3"}, "min": {"cpu": "1"}, "maxLimitRequestRatio": {"cpu": "2"}}
                    ]
                },
            ),
        ),
        post(PODS, pod("w"), pause=1.0),
        post(PODS, pod("w", amounts({"cpu": "1"}))),
        post(PODS, pod("w", amounts({"cpu": "500m"}, {"cpu": "500m"}))),
        post(PODS, pod("w", amounts({"cpu": "1"}, {"cpu": "3"}))),
        delete(f"{NS}/limitranges/o"),
    ],
    "defaults of a limit range": [
        post(
            f"{NS}/limitranges",
            named(
                "LimitRange",
                spec={
                    "limits": [
                        {
                            "type": "Container",
                            "default": {"cpu": "1", "memory": "512Mi"},
                            "defaultRequest": {"cpu": "250m"},
                        }
                    ]
                },
            ),
        ),
        post(PODS, pod("d"), ("dryRun", "All"), pause=1.0),
        post(PODS, pod("d", amounts({"cpu": "500m"})), ("dryRun", "All")),
        post(PODS, pod("d", initContainers=[{"name": "i", "image": "x"}]), ("dryRun", "All")),
        delete(f"{NS}/limitranges/o"),
    ],
    "quota": [
        post(
            f"{NS}/resourcequotas",
            named(
                "ResourceQuota",
                spec={"hard": {"requests.cpu": "250m", "limits.memory": "1Gi", "pods": "2"}},
            ),
        ),
        get(f"{NS}/resourcequotas/o", pause=1.5),
        post(PODS, pod("q1")),
        post(PODS, pod("q1", amounts({"cpu": "500m"}, {"memory": "2Gi"}))),
        post(PODS, pod("q1", SMALL)),
        get(f"{NS}/resourcequotas/o", pause=1.0),
        post(PODS, pod("q2", SMALL)),
        post(PODS, pod("q3", SMALL)),
        delete(f"{PODS}/q1"),
        get(f"{NS}/resourcequotas/o", pause=2.0),
        delete(f"{PODS}/q2"),
        get(f"{NS}/resourcequotas/o", pause=2.0),
        delete(f"{NS}/resourcequotas/o"),
    ],
    "a quota on everything": [
        post(
            f"{NS}/resourcequotas",
            named("ResourceQuota", spec={"hard": {"requests.cpu": "1", "cpu": "1", "memory": "1Gi"}}),
        ),
        post(PODS, pod("e"), pause=1.5),
        post(PODS, pod("e", amounts({"cpu": "2", "memory": "2Gi"}))),
        delete(f"{NS}/resourcequotas/o"),
    ],
    "a quota with a scope": [
        post(
            f"{NS}/resourcequotas",
            named("ResourceQuota", spec={"hard": {"pods": "0"}, "scopes": ["Terminating"]}),
        ),
        post(PODS, pod("s", activeDeadlineSeconds=60), pause=1.5),
        post(PODS, pod("s")),
        get(f"{PODS}/s", pause=1.0),
        delete(f"{PODS}/s"),
        delete(f"{NS}/resourcequotas/o"),
    ],
    "a quota for the important": [
        post(
            f"{NS}/resourcequotas",
            named(
                "ResourceQuota",
                spec={
                    "hard": {"pods": "0"},
                    "scopeSelector": {
                        "matchExpressions": [
                            {"scopeName": "PriorityClass", "operator": "In", "values": ["system-node-critical"]}
                        ]
                    },
                },
            ),
        ),
        post(PODS, pod("i"), ("dryRun", "All"), pause=1.5),
        post(PODS, pod("i", priorityClassName="system-node-critical"), ("dryRun", "All")),
        delete(f"{NS}/resourcequotas/o"),
    ],
    "unschedulable": [
        post(
            PODS,
            pod("u", nodeSelector={}, containers=[{"name": "w", "image": "x", "resources": amounts({"cpu": "999"})}]),
        ),
        get(f"{PODS}/u", pause=1.5),
        get(f"{NS}/events", ("fieldSelector", "involvedObject.name=u")),
        delete(f"{PODS}/u"),
        post(
            PODS,
            pod(
                "v",
                nodeSelector={},
                volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "absent"}}],
            ),
        ),
        get(f"{PODS}/v", pause=1.5),
        delete(f"{PODS}/v"),
    ],
    "a namespace that goes": [
        post("/api/v1/namespaces", {**named("Namespace"), "metadata": {"name": "{ns}-b"}}),
        post("/api/v1/namespaces", {**named("Namespace"), "metadata": {"name": "{ns}-b"}}),
        get("/api/v1/namespaces/{ns}-b/serviceaccounts", pause=2.0),
        post("/api/v1/namespaces/{ns}-b/configmaps", named("ConfigMap", data={"a": "b"})),
        post(
            "/api/v1/namespaces/{ns}-b/pods",
            {**pod(), "metadata": {"name": "p", "finalizers": ["hodei.test/hold"]}},
        ),
        delete("/api/v1/namespaces/{ns}-b"),
        post("/api/v1/namespaces/{ns}-b/configmaps", {**named("ConfigMap"), "metadata": {"name": "late"}}),
        post("/api/v1/namespaces", {**named("Namespace"), "metadata": {"name": "{ns}-b"}}),
        get("/api/v1/namespaces/{ns}-b"),
        get("/api/v1/namespaces/{ns}-b/pods/p", pause=7.0),
        patch("/api/v1/namespaces/{ns}-b/pods/p", {"metadata": {"finalizers": None}}),
        get("/api/v1/namespaces/{ns}-b", pause=20.0),
    ],
    "who and what": [
        get("/readyz"),
        get("/livez"),
        post(
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            {
                "kind": "SelfSubjectAccessReview",
                "apiVersion": "authorization.k8s.io/v1",
                "spec": {"resourceAttributes": {"namespace": "{ns}", "verb": "create", "resource": "pods"}},
            },
        ),
    ],
}
