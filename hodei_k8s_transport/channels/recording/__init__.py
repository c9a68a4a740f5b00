"""Channels that write every exchange to a file, without secrets, and channels that answer from one."""
