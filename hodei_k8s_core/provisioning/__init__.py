"""Several clusters at once: which one gets a worker, which one is left alone for a while, and where to go next."""
