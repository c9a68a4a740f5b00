"""One command a file: `NAME`, `EXAMPLES` and the function `command`."""
