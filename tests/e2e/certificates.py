"""Self-signed certificates, for tests and benchmarks."""

from __future__ import annotations

import subprocess
from pathlib import Path


def make_certificate(folder: Path, host: str = "localhost", here: bool = True) -> tuple[Path, Path]:
    """cert.pem and key.pem in `folder`, good for two days, for `host` and (`here`) this machine."""
    names = f"DNS:{host}" + (",DNS:localhost,IP:127.0.0.1" if here else "")
    folder.mkdir(parents=True, exist_ok=True)
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-days", "2", "-keyout", key, "-out", certificate, "-subj", f"/CN={host}",
         "-addext", f"subjectAltName={names}"],
        check=True, capture_output=True)
    return certificate, key
