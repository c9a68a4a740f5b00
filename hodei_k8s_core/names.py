"""Names by Kubernetes' own rules: each function says what is wrong with a text, or None.

The rules are those of k8s.io/apimachinery, pkg/api/validate/content and pkg/util/validation. `fullmatch` everywhere:
Python's `$` allows a newline at the end.
"""

from __future__ import annotations

import re
from typing import Final

MAX_DNS_LABEL: Final = 63
MAX_DNS_SUBDOMAIN: Final = 253
MAX_LABEL_TEXT: Final = 63
POD_NAME_PREFIX: Final = "hodei-worker-"

_DNS_LABEL: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?")
_LABEL_TEXT: Final = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?")
_ENVIRONMENT_NAME: Final = re.compile(r"[ -<>-~]+")
_DATA_KEY: Final = re.compile(r"[-._a-zA-Z0-9]+")


def dns_label_problem(text: str) -> str | None:
    """Names of namespaces, containers and volumes."""
    if not text:
        return "must not be empty"
    if len(text) > MAX_DNS_LABEL:
        return f"must have at most {MAX_DNS_LABEL} characters, not {len(text)}"
    if _DNS_LABEL.fullmatch(text) is None:
        return f"{text!r} must be lower-case letters, digits and '-', with a letter or digit at both ends"
    return None


def dns_subdomain_problem(text: str) -> str | None:
    """Names of most other objects: Pods, Secrets, service accounts."""
    if not text:
        return "must not be empty"
    if len(text) > MAX_DNS_SUBDOMAIN:
        return f"must have at most {MAX_DNS_SUBDOMAIN} characters, not {len(text)}"
    if not all(_DNS_LABEL.fullmatch(part) for part in text.split(".")):
        return (
            f"{text!r} must be lower-case letters, digits, '-' and '.', with a letter or digit at the ends of each part"
        )
    return None


def label_value_problem(text: str) -> str | None:
    """The value of a label or a node selector; it may be empty."""
    if len(text) > MAX_LABEL_TEXT:
        return f"must have at most {MAX_LABEL_TEXT} characters, not {len(text)}"
    if text and _LABEL_TEXT.fullmatch(text) is None:
        return f"{text!r} must be letters, digits, '-', '_' and '.', with a letter or digit at both ends"
    return None


def label_key_problem(text: str) -> str | None:
    """The key of a label, a node selector, a taint: `[prefix/]name`. Annotations: in any case of letters."""
    prefix, slash, name = text.rpartition("/")
    if slash:
        problem = dns_subdomain_problem(prefix)
        if problem is not None:
            return f"the prefix before '/' {problem}"
    if not name:
        return "the name must not be empty"
    problem = label_value_problem(name)
    return None if problem is None else f"the name {problem}"


def environment_name_problem(text: str) -> str | None:
    """Since Kubernetes 1.34: any printable ASCII but '='. Older servers refuse more, and say so."""
    if not text:
        return "the name must not be empty"
    if _ENVIRONMENT_NAME.fullmatch(text) is None:
        return "the name must be printable ASCII characters without '='"
    return None


def data_key_problem(text: str) -> str | None:
    """A key of a Secret's or a ConfigMap's data (IsConfigMapKey): a file name, which must not lead elsewhere."""
    if not text:
        return "the key must not be empty"
    if len(text) > MAX_DNS_SUBDOMAIN:
        return f"the key must have at most {MAX_DNS_SUBDOMAIN} characters, not {len(text)}"
    if _DATA_KEY.fullmatch(text) is None or text == "." or text.startswith(".."):
        return f"the key {text!r} must be letters, digits, '-', '_' and '.', and not begin with '..'"
    return None


def pod_name(worker_id: str) -> str:
    """The name of a worker's Pod."""
    return f"{POD_NAME_PREFIX}{worker_id}"


def worker_claim_name(stem: str, volume_name: str) -> str:
    """The name of the PersistentVolumeClaim that is made for one volume of one worker; see `companion_stem`.

    As Kubernetes names the claim of a generic ephemeral volume; since a Pod's volumes have names of their own, the two
    cannot meet.
    """
    return f"{stem}-{volume_name}"


def worker_id_problem(worker_id: str) -> str | None:
    """It is a label's value, and the end of a Pod's name: both allow just the DNS subdomains of a label's length."""
    if len(worker_id) > MAX_LABEL_TEXT:
        return f"must have at most {MAX_LABEL_TEXT} characters, not {len(worker_id)}"
    return dns_subdomain_problem(worker_id)
