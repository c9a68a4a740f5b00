"""From what exists and what should exist to a plan that can be looked at before anything is taken away."""
