"""The URL of an API server, as client-go reads it.

Source: k8s.io/client-go, rest/url_utils.go (`DefaultServerURL`), tools/clientcmd/client_config.go (`ClientConfig`).
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f]")


def parse_server(text: str) -> str:
    """Scheme, host, port and prefix path, without query and trailing slash.

    Without a scheme it is plain http, and then it can have no path. Raises: `ValueError` with what is wrong.
    """
    parts = split_url(text)
    if not parts.scheme or not parts.netloc:
        parts = split_url(f"http://{text}")
        if parts.path not in ("", "/"):
            raise ValueError("must be a URL, or a host and port alone")
    if parts.scheme not in ("http", "https"):
        raise ValueError(f'has the scheme "{parts.scheme}", and must have https or http')
    if "@" in parts.netloc:
        raise ValueError("holds a name or password, which would be shown in messages: put them into the user")
    if not parts.hostname:
        raise ValueError("names no host")
    path = "/".join(filter(None, parts.path.split("/")))
    return f"{parts.scheme}://{parts.netloc}{'/' if path else ''}{path}"


def split_url(text: str) -> SplitResult:
    """`urlsplit`, but strict. Raises: `ValueError` that quotes nothing."""
    if _UNPRINTABLE.search(text):
        raise ValueError("holds spaces or control characters")
    try:
        parts = urlsplit(text)
        port_is_number = parts.port is None or parts.port >= 0
    except ValueError:
        port_is_number = False
    if not port_is_number:
        raise ValueError("is not a URL (brackets or port)")
    return parts


def without_query(text: str) -> str:
    """The server as client-go passes it on to plugins."""
    return re.split(r"[?#]", text, maxsplit=1)[0]


def join_host_port(host: str, port: str) -> str:
    """Brackets go around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
