"""One command a file: `EXAMPLES` and the function `command`; `cli.lazy_commands` lists them."""
