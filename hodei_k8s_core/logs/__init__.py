"""Reading logs without I/O: where a reader is in a log, and what the bytes of a reply hold after that."""
