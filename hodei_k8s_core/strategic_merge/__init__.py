"""Strategic merge of Pods, as `kubectl patch --type=strategic` and the API server do it: lists by their merge key."""

from __future__ import annotations

from hodei_k8s_core.strategic_merge.element_order import InvalidPatch
from hodei_k8s_core.strategic_merge.merge import strategic_merge
from hodei_k8s_core.strategic_merge.merge_keys import POD, Field, Fields

__all__ = ["POD", "Field", "Fields", "InvalidPatch", "strategic_merge"]
