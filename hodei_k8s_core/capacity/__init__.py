"""What a cluster has room for: read, added up by the scheduler's own arithmetic, and explained."""
