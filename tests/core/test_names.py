"""Names by Kubernetes' own rules."""

from __future__ import annotations

import pytest

from hodei_k8s_core.names import (
    dns_label_problem,
    dns_subdomain_problem,
    environment_name_problem,
    label_key_problem,
    label_value_problem,
    pod_name,
    worker_id_problem,
)

GOOD = {
    dns_label_problem: ["a", "1", "a-b", "a--b", "0a", "a" * 63],
    dns_subdomain_problem: ["a", "a.b", "a-1.b-2", ".".join(["a" * 63] * 3), "a" * 253],
    label_value_problem: ["", "a", "A", "1", "a_b.c-D", "a" * 63],
    label_key_problem: ["a", "A_b.c", "example.com/a", "a.b-c.d/E", "a" * 253 + "/" + "b" * 63],
    environment_name_problem: ["A", "a.b-c", "1", " ", "A B", "~!", "<", ">"],
    worker_id_problem: ["a", "7", "1f0c9a3e-8f5e-4ac5-9d5b-0a1b2c3d4e5f", "a.b", "a" * 63],
}
BAD = {
    dns_label_problem: ["", "A", "-a", "a-", "a.b", "a_b", "a" * 64, "a\n", "é", "a b"],
    dns_subdomain_problem: ["", ".", "a.", ".a", "a..b", "a.-b", "A", "a_b", "a" * 254, "a.b\n"],
    label_value_problem: ["-", "-a", "a-", "a.", "_a", "a b", "a/b", "a" * 64, "a\n", "\n", "é"],
    label_key_problem: [
        "",
        "/",
        "/a",
        "a/",
        "a/b/c",
        "A/b",
        "a_b/c",
        "a" * 64,
        "a" * 254 + "/b",
        "a\n",
        "-a",
        "x.y/-a",
    ],
    environment_name_problem: ["", "A=B", "=", "é", "A\n", "A\0", "\t", "\x7f"],
    worker_id_problem: ["", "A", "-a", "a-", "a_b", "a..b", "a" * 64, "a/b", "a\n"],
}
PAIRS_GOOD = [(check, text) for check, texts in GOOD.items() for text in texts]
PAIRS_BAD = [(check, text) for check, texts in BAD.items() for text in texts]


@pytest.mark.parametrize(("check", "text"), PAIRS_GOOD)
def test_a_good_name_has_no_problem(check, text: str):
    assert check(text) is None


@pytest.mark.parametrize(("check", "text"), PAIRS_BAD)
def test_a_bad_name_has_one(check, text: str):
    assert check(text)


def test_the_problem_tells_how_long_is_too_long():
    assert dns_label_problem("a" * 64) == "must have at most 63 characters, not 64"
    assert dns_subdomain_problem("a" * 300) == "must have at most 253 characters, not 300"


def test_the_pods_name_of_a_worker_is_a_valid_one():
    assert pod_name("a") == "hodei-worker-a"
    assert all(dns_subdomain_problem(pod_name(worker_id)) is None for worker_id in GOOD[worker_id_problem])
    assert all(label_value_problem(worker_id) is None for worker_id in GOOD[worker_id_problem])
