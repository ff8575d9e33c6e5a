"""An issuer of tokens: keys, a key set over HTTP, and tokens of every right and wrong kind, made with PyJWT."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

AUDIENCE = "https://gantry.example/mcp"


def b64(value):
    data = value if isinstance(value, bytes) else value.encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def pem(key):
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


ALGORITHMS = {"RS256": jwt.algorithms.RSAAlgorithm, "ES256": jwt.algorithms.ECAlgorithm, "EdDSA": jwt.algorithms.OKPAlgorithm}


def jwk(key, algorithm, **more):
    document = json.loads(ALGORITHMS[algorithm].to_jwk(key.public_key()))
    document.pop("key_ops", None)
    return document | more


class Issuer:
    """Publishes its keys on a port of its own; counts how often it is asked, and can be down or say something else."""

    def __init__(self):
        self.rsa = rsa.generate_private_key(65537, 2048)
        self.ec = ec.generate_private_key(ec.SECP256R1())
        self.ed = ed25519.Ed25519PrivateKey.generate()
        self.keys = {
            "rsa": jwk(self.rsa, "RS256", kid="rsa", use="sig", alg="RS256"),
            "ec": jwk(self.ec, "ES256", kid="ec", use="sig"),
            "ed": jwk(self.ed, "EdDSA", kid="ed"),
        }
        self.asked = 0
        self.document = None
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.asked += 1
                body = issuer.document
                if body is None:
                    body = json.dumps({"keys": list(issuer.keys.values())}).encode()
                status = 200 if body else 503
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/keys.json"
        self.name = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def settings(self):
        return {"JWT_JWKS_URL": self.url, "JWT_ISSUER": self.name, "JWT_AUDIENCE": AUDIENCE}

    def claims(self, **changes):
        now = int(time.time())
        claims = {
            "iss": self.name, "aud": AUDIENCE, "sub": "ada", "iat": now, "exp": now + 600,
            "scope": "knowledge:read jira:read k8s:read", "roles": ["viewer"],
        }
        claims |= changes
        return {name: value for name, value in claims.items() if value is not ...}

    def token(self, algorithm="RS256", headers=None, key=None, **changes):
        own = {"RS256": (self.rsa, "rsa"), "ES256": (self.ec, "ec"), "EdDSA": (self.ed, "ed")}
        signer, kid = own.get(algorithm, (None, None))
        head = {"kid": kid, "typ": "at+jwt"} | (headers or {})
        head = {name: value for name, value in head.items() if value is not ...}
        return jwt.encode(self.claims(**changes), key or signer, algorithm, headers=head)

    def raw(self, header, payload, algorithm="RS256"):
        """A token with exactly these texts, signed as the algorithm says."""
        given = f"{b64(header)}.{b64(payload)}".encode()
        signer = {"RS256": self.rsa, "ES256": self.ec, "EdDSA": self.ed}[algorithm]
        method = jwt.get_algorithm_by_name(algorithm)
        return f"{given.decode()}.{b64(method.sign(given, signer))}"
