"""What holds for a property test that says nothing else."""

from __future__ import annotations

from hypothesis import settings

from tests.core.thoroughness import examples

settings.register_profile("ours", max_examples=examples(100), deadline=None)
settings.load_profile("ours")
