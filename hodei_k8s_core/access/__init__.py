"""Where a cluster is and who we are there, as `kubectl` finds it out; opens no file and runs no plugin."""
