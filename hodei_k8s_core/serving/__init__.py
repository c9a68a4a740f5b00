"""What a process that watches over fleets decides: when to reconcile, whether it is ready, what it shows."""
