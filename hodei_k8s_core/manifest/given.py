"""What is left out of a manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is empty or False: absent says the same, and is what the API server stores."""
    return {name: value for name, value in fields.items() if value}
