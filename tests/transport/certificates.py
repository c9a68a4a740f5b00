"""Certificates for tests, made with the `openssl` command when they are needed."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest


class Authority:
    """A certificate authority of one's own, in a directory."""

    def __init__(self, directory: Path) -> None:
        if shutil.which("openssl") is None:
            pytest.skip("there is no openssl command to make certificates with")
        self._directory = self.directory = directory
        self.certificate = directory / "ca.pem"
        self._openssl(
            *("req", "-x509", *_KEY, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=test"),
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),  # Python 3.13 is strict by default (RFC 5280)
        )

    def client_context(self) -> ssl.SSLContext:
        """A context that trusts this authority alone."""
        return ssl.create_default_context(cafile=str(self.certificate))

    def server_context(self, name: str = "IP:127.0.0.1,DNS:localhost", *, days: int = 2) -> ssl.SSLContext:
        """A server's context with a certificate for `name` that is good for `days` days."""
        (self._directory / "ext").write_text(f"subjectAltName={name}\nauthorityKeyIdentifier=keyid\n")
        self._openssl("req", *_KEY, "-keyout", "s.key", "-out", "s.csr", "-subj", "/CN=server")
        self._openssl(
            *("x509", "-req", "-in", "s.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"),
            *("-out", "s.pem", "-days", str(days), "-extfile", "ext"),
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._directory / "s.pem", self._directory / "s.key")
        return context

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self._directory, check=True, capture_output=True)


_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
