"""`python -m hodei_k8s_transport` is the command line too."""

from __future__ import annotations

from hodei_k8s_transport.cli import main

if __name__ == "__main__":
    main()
