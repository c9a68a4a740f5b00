"""How texts get through Kubernetes' expansion of variables letter for letter.

In the values of environment variables, in command and in args the kubelet replaces `$(NAME)` and turns `$$` into `$`.
Older kubelets also spoil a `$` before a character beyond ASCII: they read its first byte alone, and write that as a
character (`$é` becomes `$Ã©`); 1.36 does not. Source: k8s.io/kubernetes, third_party/forked/golang/expansion/expand.go.
"""

from __future__ import annotations

import re
from typing import Final

_WOULD_CHANGE: Final = re.compile(r"\$(?=[$(]|[^\x00-\x7f])")


def escape_expansion(text: str) -> str:
    """The text that expands to `text`: each `$` that would change something is doubled, others stay as they are."""
    return _WOULD_CHANGE.sub("$$", text) if "$" in text else text
