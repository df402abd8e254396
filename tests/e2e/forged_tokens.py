"""Tokens as an attacker, or another issuer, makes them, and the keys and key servers for it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.server
import json
import os
import subprocess
import threading
from pathlib import Path

import jwt

from tars_server import SECRET


def encode(data: dict | bytes) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def assemble(header: dict | bytes, claims: dict | bytes, key: str | bytes = SECRET,
             digest="sha256") -> str:
    """A compact JWS signed with HMAC, whatever its header says."""
    body = f"{encode(header)}.{encode(claims)}"
    secret = key if isinstance(key, bytes) else key.encode()
    return f"{body}.{encode(hmac.new(secret, body.encode(), digest).digest())}"


def parts(token: str) -> tuple[dict, dict]:
    return (jwt.get_unverified_header(token),
            jwt.decode(token, options={"verify_signature": False}))


def openssl(*args: str | Path, given: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *args], input=given, check=True, capture_output=True).stdout


def encrypt(header: dict, plain: bytes, key: bytes) -> str:
    """A JWE (RFC 7516) of the 32 bytes `key` for A128CBC-HS256 (RFC 7518 5.2.3), its encrypted key
    empty as `dir` has it, whatever the header says."""
    head, vector = encode(header), os.urandom(16)
    cipher = openssl("enc", "-aes-128-cbc", "-K", key[16:].hex(), "-iv", vector.hex(), given=plain)
    length = (8 * len(head)).to_bytes(8, "big")
    tag = hmac.new(key[:16], head.encode() + vector + cipher + length, hashlib.sha256).digest()[:16]
    return f"{head}..{encode(vector)}.{encode(cipher)}.{encode(tag)}"


def raw_ecdsa(der: bytes) -> bytes:
    """r and s of 32 bytes each, as JWS has them (RFC 7518 3.4), of two short ASN.1 integers."""
    r_end = 4 + der[3]
    return b"".join(int.from_bytes(number, "big").to_bytes(32, "big")
                    for number in (der[4:r_end], der[r_end + 2:]))


class KeyPair:
    """RSA or P-256, with a certificate for it; made by openssl in `folder`."""

    KINDS = {"RSA": ("rsa:2048",), "EC": ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")}

    def __init__(self, folder: Path, kind: str):
        self.kind = kind
        self._key = folder / f"{kind}.key"
        certificate = folder / f"{kind}.cert"
        openssl("req", "-x509", "-newkey", *self.KINDS[kind], "-nodes", "-days", "2",
                "-subj", "/CN=attacker", "-keyout", self._key, "-out", certificate)
        self.certificate_pem = certificate.read_bytes()
        self.certificate_der = openssl("x509", "-in", certificate, "-outform", "DER")
        self.public_pem = openssl("pkey", "-in", self._key, "-pubout")
        self.public_der = openssl("pkey", "-in", self._key, "-pubout", "-outform", "DER")

    def sign(self, header: dict, claims: dict) -> str:
        """With the algorithm that the header names: RS256, PS256 or ES256."""
        body = f"{encode(header)}.{encode(claims)}"
        padding = ("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32")
        options = padding if header["alg"] == "PS256" else ()
        made = openssl("dgst", "-sha256", "-sign", self._key, *options, given=body.encode())
        return f"{body}.{encode(raw_ecdsa(made) if self.kind == 'EC' else made)}"

    def jwk(self) -> dict:
        if self.kind == "EC":  # the point is the end of the key's DER form
            point = self.public_der[-64:]
            return {"kty": "EC", "crv": "P-256", "x": encode(point[:32]), "y": encode(point[32:])}
        modulus = openssl("rsa", "-in", self._key, "-noout", "-modulus").decode().strip()
        return {"kty": "RSA", "e": "AQAB", "n": encode(bytes.fromhex(modulus.partition("=")[2]))}


class KeyServer(http.server.ThreadingHTTPServer):
    """Answers every GET with the document of that path, and counts the connections."""

    def __init__(self, documents: dict[str, bytes]):
        self.connections = 0
        self.documents = documents
        super().__init__(("127.0.0.1", 0), _KeyHandler)

    def verify_request(self, request, client_address) -> bool:
        self.connections += 1
        return True

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    def __enter__(self) -> "KeyServer":
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.shutdown()
        self.server_close()


class _KeyHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        document = self.server.documents[self.path]
        self.send_response(200)
        self.send_header("Content-Length", str(len(document)))
        self.end_headers()
        self.wfile.write(document)

    def log_message(self, *_) -> None:
        pass
