"""What holds for a property test that says nothing else."""

from __future__ import annotations

from hypothesis import settings

from tests.core.thoroughness import examples, is_thorough

# The same examples in every quick run: what is covered must not be a matter of luck. The thorough one draws new ones.
settings.register_profile("ours", max_examples=examples(100), deadline=None, derandomize=not is_thorough())
settings.load_profile("ours")
