"""A module a library, each with `connect(namespace)`: an (async) context manager that gives its `Client`.

Sync clients are called by 16 threads, async ones by 16 tasks.
"""
