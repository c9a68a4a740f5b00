"""What runs in production on top of providers: several clusters, a registry of workers, metrics, the process."""
