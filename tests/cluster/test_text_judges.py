"""The API server judges our rules of names, labels and quantities: generated texts, by dry run. Both accept a text, or
both refuse it; and of an amount both write the same canonical form.
"""

from __future__ import annotations

import random
import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.labels import annotation_faults
from hodei_k8s_core.names import (
    data_key_problem,
    dns_label_problem,
    dns_subdomain_problem,
    environment_name_problem,
    label_key_problem,
    label_value_problem,
    pod_name,
    worker_id_problem,
)
from hodei_k8s_core.quantity import Quantity, parse_quantity
from tests.cluster.capacity_lab import Api, Json, wait
from tests.cluster.lab import Kubectl

pytestmark = pytest.mark.long

SEED = 3
TEXTS = 300  # of each rule
AMOUNTS = 400
IN_A_POD = 50  # amounts
KNOWN = re.compile(r"[+-]?\.?[a-zA-Z]*")
"""Texts without a digit, which the server takes for 0 and we on purpose for a typing error."""


@pytest.fixture(scope="module")
def api(kubeconfig: Path) -> Iterator[Api]:
    channel = Api(KubernetesConfig())
    yield channel
    channel.close()


@pytest.fixture(scope="module")
def place(kubeconfig: Path, api: Api) -> Iterator[str]:
    """The path of a namespace of its own, in which nothing is ever stored."""
    name = f"hodei-test-manifest-{secrets.token_hex(4)}"
    kubectl = Kubectl(kubeconfig)
    kubectl("create", "namespace", name)
    path = f"/api/v1/namespaces/{name}"
    wait(lambda: api.get(f"{path}/serviceaccounts/default")[0] == 200, "the namespace got its account")
    yield path
    kubectl("delete", "namespace", name, "--wait=false")


# --- names and labels

LETTERS = "ab9Z-_./ =$é\n"


def text(chance: random.Random) -> str:
    """Short ones, and such that are about as long as a rule allows; parts that are right, and some that are not."""
    if chance.random() < 0.4:
        return "".join(chance.choice(LETTERS) for _ in range(chance.randrange(5)))
    plain = "".join(chance.choice("ab9-") for _ in range(chance.choice([1, 5, 61, 62])))
    made = f"{chance.choice('aZ9-.')}{plain}{chance.choice(['a', '9', 'Z', '-', '', '..', '.a'])}"
    prefix = ".".join(["a" * chance.choice([1, 5, 61])] * chance.choice([1, 2, 4]))
    return chance.choice([made, made, f"{prefix}/{made}", f"{prefix}.{made}", f"{prefix}/{prefix}/a"])


def config_map(**meta: object) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", **meta}}


def pod(name: str = "a", container: str = "a", **fields: object) -> Json:
    containers = [{"name": container, "image": "a", **fields}]
    spec = {"containers": containers, "automountServiceAccountToken": False}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def worker_pod(worker_id: str) -> Json:
    made = pod(pod_name(worker_id))
    made["metadata"]["labels"] = {"hodei.io/worker-id": worker_id}
    return made


def annotation_problem(key: str) -> str | None:
    return next((str(fault) for fault in annotation_faults("annotations", {key: ""})), None)


Rule = tuple[Callable[[str], str | None], str, Callable[[str], Json]]
RULES: dict[str, Rule] = {
    "label key": (label_key_problem, "configmaps", lambda text: config_map(labels={text: ""})),
    "label value": (label_value_problem, "configmaps", lambda text: config_map(labels={"a": text})),
    "annotation": (annotation_problem, "configmaps", lambda text: config_map(annotations={text: ""})),
    "subdomain": (dns_subdomain_problem, "configmaps", lambda text: config_map(name=text)),
    "data key": (data_key_problem, "configmaps", lambda text: {**config_map(), "data": {text: ""}}),
    "container": (dns_label_problem, "pods", lambda text: pod(container=text)),
    "variable": (environment_name_problem, "pods", lambda text: pod(env=[{"name": text, "value": ""}])),
    "worker": (worker_id_problem, "pods", worker_pod),
}


@pytest.mark.parametrize("name", RULES)
def test_a_text_is_right_for_both_or_for_none(name: str, api: Api, place: str) -> None:
    problem, kind, made = RULES[name]
    chance = random.Random(f"{SEED} {name}")
    seen: Counter[bool] = Counter()
    disagreements = []
    for candidate in {text(chance) for _ in range(TEXTS)}:
        ours = problem(candidate)
        status, answer = api("POST", f"{place}/{kind}?dryRun=All", made(candidate))
        assert status in (201, 400, 422), answer
        seen[status == 201] += 1
        if (status == 201) is not (ours is None):
            disagreements.append((candidate, ours, status, answer.get("message")))
    assert not disagreements, f"{len(disagreements)}: {disagreements[:3]}"
    assert min(seen[True], seen[False]) >= 10, seen


# --- quantities


def amount(chance: random.Random) -> str:
    digits = str(chance.randrange(10 ** chance.choice([1, 3, 6, 12])))
    whole = chance.choice([digits, digits, f"{digits}000", f"0{digits}", str(1024 * chance.randrange(5000))])
    fraction = chance.choice(["", "", "", f".{chance.randrange(1000)}", ".500", "."])
    suffixes = ["", "n", "u", "m", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti", "e3", "E-3", "e0", "e+2"]
    return chance.choice(["", "", "", "+"]) + whole + fraction + chance.choice(suffixes)


def sizes(amounts: list[str]) -> Json:
    made = pod()
    made["spec"]["volumes"] = [{"name": f"v{n}", "emptyDir": {"sizeLimit": one}} for n, one in enumerate(amounts)]
    return made


def stored(api: Api, place: str, amounts: list[str]) -> list[str]:
    """How the API server writes them."""
    found = []
    for begin in range(0, len(amounts), IN_A_POD):
        answer = api.post(f"{place}/pods?dryRun=All", sizes(amounts[begin : begin + IN_A_POD]))
        found += [volume["emptyDir"]["sizeLimit"] for volume in answer["spec"]["volumes"]]
    return found


def test_an_amount_has_one_canonical_form(api: Api, place: str) -> None:
    """But for the texts that the server repeats as they were typed, such as "1.500": the same amount in other words."""
    chance = random.Random(SEED)
    texts = [amount(chance) for _ in range(AMOUNTS)]
    disagreements, rewritten = [], 0
    for typed, theirs in zip(texts, stored(api, place, texts), strict=True):
        ours = parse_quantity(typed)
        is_repeated = theirs == typed != str(ours)
        if parse_quantity(theirs) != ours or not (theirs == str(ours) or is_repeated):
            disagreements.append((typed, str(ours), theirs))
        rewritten += theirs != typed
    assert not disagreements, f"{len(disagreements)}: {disagreements[:5]}"
    assert rewritten >= AMOUNTS / 4


def test_what_we_write_is_canonical(api: Api, place: str) -> None:
    """The amounts of bytes and cores that a worker can ask for, and any other, are stored as they are sent."""
    chance = random.Random(SEED)
    cores = [Quantity.from_cores(chance.choice([1e-9, 0.1, 1.5, chance.random() * 64, 3])) for _ in range(AMOUNTS)]
    sizes_ = [Quantity.from_bytes(chance.randrange(2 ** chance.choice([4, 12, 33, 50])) * 2**n) for n in range(12)]
    others = [Quantity(chance.randrange(10 ** chance.choice([3, 9, 15, 18]))) for _ in range(AMOUNTS)]
    ours = [str(one) for one in (*cores, *sizes_, *others)]
    assert stored(api, place, ours) == ours


def test_what_is_no_amount_is_none_for_both(api: Api, place: str) -> None:
    chance = random.Random(SEED)
    suffixes = ["K", "ki", "KiB", "mi", " ", "e", "E+", "e1.5", "i", "Ei ", "x", "1", "é"]
    seen: Counter[bool] = Counter()
    disagreements = []
    for _ in range(TEXTS):
        begin = chance.choice(["", "1", "1.5", "--1", "-+1", "1,5", "1.5.2", ".", "+.5", "0x1", "1_0", " 1"])
        typed = begin + chance.choice(suffixes)
        try:
            ours = parse_quantity(typed.strip())  # as the server's JSON decoder does
        except ValueError:
            ours = None
        status, _ = api("POST", f"{place}/pods?dryRun=All", sizes([typed]))
        seen[status == 201] += 1
        if (status == 201) is not (ours is not None) and not KNOWN.fullmatch(typed.strip()):
            disagreements.append((typed, str(ours), status))
    assert not disagreements, f"{len(disagreements)}: {disagreements[:5]}"
    assert seen[False] >= 10, seen
