"""What is sent as Authorization, and what has to come of it: status and challenge, over MCP and over REST."""

import base64
import json
import re
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from issuer import AUDIENCE, b64, jwk, pem

MODERN = {
    "Content-Type": "application/json",
    "Accept": "application/json, text/event-stream",
    "MCP-Protocol-Version": "2026-07-28",
}
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}


def mcp(server, authorization, method="tools/list", params=None, headers=None):
    """One request of 2026-07-28; authorization is a list of header values."""
    import http.client

    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": (params or {}) | {"_meta": META}}
    data = json.dumps(body).encode()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.putrequest("POST", "/mcp")
        sent = MODERN | {"Mcp-Method": method} | (headers or {})
        if params and "name" in params:
            sent["Mcp-Name"] = params["name"]
        for name, value in sent.items():
            connection.putheader(name, value)
        for value in authorization:
            connection.putheader("Authorization", value)
        connection.putheader("Content-Length", str(len(data)))
        connection.endheaders(data)
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def challenge(headers):
    """The parameters of the challenge."""
    text = headers["WWW-Authenticate"]
    if text is None:
        return None
    assert text.startswith("Bearer ")
    return dict(re.findall(r'([a-z_]+)="([^"]*)"', text))


def unsigned(issuer, alg, signature=""):
    return f"{b64(json.dumps({'alg': alg, 'typ': 'JWT'}))}.{b64(json.dumps(issuer.claims()))}.{signature}"


def changed(token, part, change):
    parts = token.split(".")
    parts[part] = b64(change(base64.urlsafe_b64decode(parts[part] + "==")))
    return ".".join(parts)


def hs256(issuer, secret, **headers):
    # PyJWT refuses to use a public key as a secret; an attacker does not.
    import hashlib
    import hmac

    head = b64(json.dumps({"alg": "HS256", "typ": "JWT"} | headers))
    given = f"{head}.{b64(json.dumps(issuer.claims()))}"
    return f"{given}.{b64(hmac.new(secret, given.encode(), hashlib.sha256).digest())}"


HEADER = '{"alg":"RS256","kid":"rsa","typ":"at+jwt"}'
MISSING, MALFORMED, INVALID = (401, None), (400, "invalid_request"), (401, "invalid_token")
GOOD = (200, None)
NOW = int(time.time())

# Each case: its name, the outcome, and what makes the values of the Authorization header (a token stands for Bearer).
CASES = [
    # What is right
    ("RS256", GOOD, lambda i: i.token("RS256")),
    ("ES256", GOOD, lambda i: i.token("ES256")),
    ("EdDSA", GOOD, lambda i: i.token("EdDSA")),
    ("typ JWT", GOOD, lambda i: i.token(headers={"typ": "JWT"})),
    ("typ with application/", GOOD, lambda i: i.token(headers={"typ": "application/AT+JWT"})),
    ("no typ", GOOD, lambda i: i.token(headers={"typ": None})),
    ("no kid, one key of the type", GOOD, lambda i: i.token(headers={"kid": ...})),
    ("several audiences", GOOD, lambda i: i.token(aud=["https://other.example", AUDIENCE])),
    ("audience in other case with a slash", GOOD, lambda i: i.token(aud="HTTPS://GANTRY.example/mcp/")),
    ("expired within the skew", GOOD, lambda i: i.token(exp=int(time.time()) - 30)),
    ("not before within the skew", GOOD, lambda i: i.token(nbf=int(time.time()) + 30)),
    ("expiry with a fraction", GOOD, lambda i: i.token(exp=time.time() + 60.5)),
    ("scheme in lower case", GOOD, lambda i: [f"bearer {i.token()}"]),
    ("several spaces", GOOD, lambda i: [f"Bearer   {i.token()}"]),
    ("scp as a list", GOOD, lambda i: i.token(scope=..., scp=["knowledge:read"])),
    # No credentials
    ("no header", MISSING, lambda i: []),
    ("Basic", MISSING, lambda i: ["Basic YWRhOnNlY3JldA=="]),
    ("another scheme", MISSING, lambda i: [f"DPoP {i.token()}"]),
    ("the token alone", MISSING, lambda i: [i.token()]),
    # Credentials that are presented wrongly
    ("Bearer without a token", MALFORMED, lambda i: ["Bearer"]),
    ("Bearer and a space", MALFORMED, lambda i: ["Bearer "]),
    ("two tokens", MALFORMED, lambda i: [f"Bearer {i.token()} {i.token()}"]),
    ("a list of credentials", MALFORMED, lambda i: [f"Bearer {i.token()}, Basic YTpi"]),
    ("two headers", MALFORMED, lambda i: [f"Bearer {i.token()}", f"Bearer {i.token()}"]),
    ("quotation marks", MALFORMED, lambda i: [f'Bearer "{i.token()}"']),
    ("a character beyond ASCII", MALFORMED, lambda i: ["Bearer caf\xe9"]),
    # What is no token
    ("one part", INVALID, lambda i: "abc"),
    ("two parts", INVALID, lambda i: i.token().rsplit(".", 1)[0]),
    ("four parts", INVALID, lambda i: i.token() + ".x"),
    ("five parts, as of an encrypted token", INVALID, lambda i: ".".join([i.token()] + ["eA"] * 2)),
    ("empty parts", INVALID, lambda i: ".."),
    ("no signature", INVALID, lambda i: i.token().rsplit(".", 1)[0] + "."),
    ("padded base64", INVALID, lambda i: i.token() + "=="),
    ("standard base64", INVALID, lambda i: changed(i.token(), 2, lambda s: s).replace("-", "+").replace("_", "/") + "+/"),
    ("a header that is no JSON", INVALID, lambda i: i.raw("alg: RS256", json.dumps(i.claims()))),
    ("a header that is a list", INVALID, lambda i: i.raw('["RS256"]', json.dumps(i.claims()))),
    ("a payload that is no JSON", INVALID, lambda i: i.raw(HEADER, "hello")),
    ("a payload that is a string", INVALID, lambda i: i.raw(HEADER, '"hello"')),
    ("a payload with a lone surrogate", INVALID, lambda i: i.raw(HEADER, '{"sub":"\\ud800"}')),
    ("a payload that is not UTF-8", INVALID, lambda i: i.raw(HEADER, b'{"sub":"\xff"}')),
    ("a payload nested deeply", INVALID, lambda i: i.raw(HEADER, "[" * 5000 + "]" * 5000)),
    ("a huge token", INVALID, lambda i: i.token(padding="x" * 13_000)),
    # Algorithms and keys
    ("none", INVALID, lambda i: unsigned(i, "none")),
    ("None", INVALID, lambda i: unsigned(i, "None", "eA")),
    ("no alg", INVALID, lambda i: i.raw('{"kid":"rsa"}', json.dumps(i.claims()))),
    ("alg is a list", INVALID, lambda i: i.raw('{"alg":["RS256"],"kid":"rsa"}', json.dumps(i.claims()))),
    ("HS256 with the public key in PEM form", INVALID, lambda i: hs256(i, pem(i.rsa))),
    ("HS256 with the modulus", INVALID, lambda i: hs256(i, i.keys["rsa"]["n"].encode(), kid="rsa")),
    ("HS256 with an empty secret", INVALID, lambda i: hs256(i, b"")),
    ("PS256 with the RSA key", INVALID, lambda i: jwt.encode(i.claims(), i.rsa, "PS256", headers={"kid": "rsa"})),
    ("RS512 with the RSA key", INVALID, lambda i: jwt.encode(i.claims(), i.rsa, "RS512", headers={"kid": "rsa"})),
    ("ES384", INVALID, lambda i: jwt.encode(i.claims(), ec.generate_private_key(ec.SECP384R1()), "ES384")),
    ("RS256 that names the EC key", INVALID, lambda i: i.token("RS256", headers={"kid": "ec"})),
    ("ES256 that names the RSA key", INVALID, lambda i: i.token("ES256", headers={"kid": "rsa"})),
    ("EdDSA that names the EC key", INVALID, lambda i: i.token("EdDSA", headers={"kid": "ec"})),
    ("another RSA key with a known kid", INVALID, lambda i: i.token(key=rsa.generate_private_key(65537, 2048))),
    ("another EC key", INVALID, lambda i: i.token("ES256", key=ec.generate_private_key(ec.SECP256R1()))),
    ("another Ed25519 key", INVALID, lambda i: i.token("EdDSA", key=ed25519.Ed25519PrivateKey.generate())),
    ("an unknown kid", INVALID, lambda i: i.token(headers={"kid": "nobody"})),
    ("a kid that is a path", INVALID, lambda i: i.token(headers={"kid": "../../../../dev/null"})),
    ("a kid with SQL", INVALID, lambda i: i.token(headers={"kid": "x' OR '1'='1"})),
    ("a long kid", INVALID, lambda i: i.token(headers={"kid": "k" * 300})),
    ("a kid that is a number", INVALID, lambda i: i.raw('{"alg":"RS256","kid":7}', json.dumps(i.claims()))),
    ("an empty kid", INVALID, lambda i: i.token(headers={"kid": ""})),
    ("an ES256 signature in DER form", INVALID, lambda i: i.token("ES256").rsplit(".", 1)[0] + "." + b64(b"\x30\x44" + b"\x02\x20" + b"\x01" * 32 + b"\x02\x20" + b"\x01" * 32)),
    ("an ES256 signature of zeros", INVALID, lambda i: i.token("ES256").rsplit(".", 1)[0] + "." + b64(bytes(64))),
    ("an RS256 signature of zeros", INVALID, lambda i: i.token().rsplit(".", 1)[0] + "." + b64(bytes(256))),
    ("a key in the header", INVALID, lambda i: self_signed(i, jwk=True)),
    ("an address of keys in the header", INVALID, lambda i: self_signed(i, jku="https://evil.example/keys.json")),
    ("an address of certificates in the header", INVALID, lambda i: self_signed(i, x5u="https://evil.example/chain.pem")),
    ("a signed key in the header", INVALID, lambda i: i.token(headers={"jwk": i.keys["ec"]})),
    # Headers
    ("crit", INVALID, lambda i: i.raw('{"alg":"RS256","kid":"rsa","crit":["exp"],"exp":1}', json.dumps(i.claims()))),
    ("an empty crit", INVALID, lambda i: i.raw('{"alg":"RS256","kid":"rsa","crit":[]}', json.dumps(i.claims()))),
    ("b64", INVALID, lambda i: i.raw('{"alg":"RS256","kid":"rsa","b64":false,"crit":["b64"]}', json.dumps(i.claims()))),
    ("alg twice", INVALID, lambda i: i.raw('{"alg":"none","alg":"RS256","kid":"rsa"}', json.dumps(i.claims()))),
    ("typ of a DPoP proof", INVALID, lambda i: i.token(headers={"typ": "dpop+jwt"})),
    ("typ of a logout token", INVALID, lambda i: i.token(headers={"typ": "logout+jwt"})),
    ("typ of a token grant", INVALID, lambda i: i.token(headers={"typ": "oauth-id-jag+jwt"})),
    ("typ is a number", INVALID, lambda i: i.raw('{"alg":"RS256","kid":"rsa","typ":7}', json.dumps(i.claims()))),
    # Claims
    ("another issuer", INVALID, lambda i: i.token(iss="https://evil.example")),
    ("the issuer with a slash", INVALID, lambda i: i.token(iss=i.name + "/")),
    ("no issuer", INVALID, lambda i: i.token(iss=...)),
    ("another audience", INVALID, lambda i: i.token(aud="https://other.example/mcp")),
    ("a longer audience", INVALID, lambda i: i.token(aud=AUDIENCE + "/x")),
    ("an audience with a query", INVALID, lambda i: i.token(aud=AUDIENCE + "?x")),
    ("no audience", INVALID, lambda i: i.token(aud=...)),
    ("an empty list of audiences", INVALID, lambda i: i.token(aud=[])),
    ("an audience that is an object", INVALID, lambda i: i.raw(HEADER, json.dumps(i.claims(aud={AUDIENCE: 1})))),
    ("a list of audiences with a number", INVALID, lambda i: i.raw(HEADER, json.dumps(i.claims(aud=[AUDIENCE, 1])))),
    ("expired", INVALID, lambda i: i.token(exp=int(time.time()) - 61)),
    ("no expiry", INVALID, lambda i: i.token(exp=...)),
    ("an expiry that is a text", INVALID, lambda i: i.raw(HEADER, json.dumps(i.claims(exp=str(NOW + 600))))),
    ("an expiry in milliseconds", INVALID, lambda i: i.token(exp=(NOW + 600) * 1000)),
    ("a negative expiry", INVALID, lambda i: i.token(exp=-1)),
    ("an expiry beyond all numbers", INVALID, lambda i: i.raw(HEADER, json.dumps(i.claims(exp=0)).replace('"exp": 0', '"exp": 1e400'))),
    ("not valid yet", INVALID, lambda i: i.token(nbf=int(time.time()) + 120)),
    ("issued in the future", INVALID, lambda i: i.token(iat=int(time.time()) + 120)),
    ("no subject", INVALID, lambda i: i.token(sub=...)),
    ("an empty subject", INVALID, lambda i: i.token(sub="")),
    ("a subject that is a number", INVALID, lambda i: i.raw(HEADER, json.dumps(i.claims(sub=7)))),
    ("a subject with a line break", INVALID, lambda i: i.token(sub="ada\nroot")),
    ("a subject without end", INVALID, lambda i: i.token(sub="a" * 300)),
    ("sub twice", INVALID, lambda i: i.raw(HEADER, '{"sub":"root",' + json.dumps(i.claims())[1:])),
    ("scope twice", INVALID, lambda i: i.raw(HEADER, '{"scope":"*",' + json.dumps(i.claims())[1:])),
    ("sub twice, once escaped", INVALID, lambda i: i.raw(HEADER, '{"\\u0073ub":"root",' + json.dumps(i.claims())[1:])),
    ("a token bound to a key", INVALID, lambda i: i.token(cnf={"jkt": "x"})),
    ("a scope that is a list", INVALID, lambda i: i.token(scope=["*"])),
    # What was changed on the way
    ("a changed payload", INVALID, lambda i: changed(i.token(), 1, lambda p: p.replace(b"ada", b"eve"))),
    ("a changed header", INVALID, lambda i: changed(i.token(), 0, lambda h: h.replace(b"at+jwt", b"jwt"))),
    ("the signature of another token", INVALID, lambda i: i.token().rsplit(".", 1)[0] + "." + i.token(sub="eve").rsplit(".", 1)[1]),
    # API keys
    ("an API key that nobody made", INVALID, lambda i: "gantry_0123456789abcdef_" + "A" * 43),
    ("half an API key", INVALID, lambda i: "gantry_0123456789abcdef"),
]


def self_signed(issuer, **headers):
    own = rsa.generate_private_key(65537, 2048)
    if "jwk" in headers:
        headers["jwk"] = jwk(own, "RS256")
    return issuer.token(key=own, headers=headers)


def test_there_are_enough_cases():
    assert len({name for name, _, _ in CASES}) == len(CASES) >= 60


@pytest.mark.parametrize(("name", "outcome", "make"), CASES, ids=[case[0] for case in CASES])
def test_attack(guarded, issuer, name, outcome, make):
    made = make(issuer)
    values = [f"Bearer {made}"] if isinstance(made, str) else made
    values = [value.encode("latin-1") for value in values]
    status, error = outcome
    for road in ("mcp", "rest"):
        if road == "mcp":
            answered, headers, body = mcp(guarded, values)
        else:
            answered, headers, body = rest(guarded, values)
        assert answered == status, (road, body)
        found = challenge(headers)
        if status == 200:
            assert found is None
            continue
        assert found["resource_metadata"] == "https://gantry.example/.well-known/oauth-protected-resource/mcp", road
        assert found.get("error") == error, road
        assert "knowledge:read" in found["scope"].split()
        assert ("error_description" in found) == (error is not None)
        # Whatever is told, no part of the credentials is.
        for value in values:
            assert value.split(b" ")[-1][-20:] not in body + headers["WWW-Authenticate"].encode() or len(value) < 30


def rest(server, values):
    import http.client

    data = b'{"query": "anything"}'
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.putrequest("POST", "/rag/query")
        connection.putheader("Content-Type", "application/json")
        for value in values:
            connection.putheader("Authorization", value)
        connection.putheader("Content-Length", str(len(data)))
        connection.endheaders(data)
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def test_tokens_do_not_belong_in_the_address(guarded, issuer):
    token = issuer.token()
    for headers in ({}, {"Authorization": f"Bearer {token}"}):
        status, answer, _ = guarded.request(
            "POST", f"/rag/query?access_token={token}", b"{}", {"Content-Type": "application/json"} | headers
        )
        assert status == 400
        assert challenge(answer)["error"] == "invalid_request"


@pytest.mark.parametrize("path", ["/mcp", "/tools/knowledge.query", "/rag/query", "/rag/upload"])
def test_no_route_is_open(guarded, path):
    status, headers, _ = guarded.request("POST", path, b"{}", MODERN)
    assert status == 401
    assert challenge(headers)["resource_metadata"]
    for method in ("GET", "DELETE"):
        if path == "/mcp":
            assert guarded.request(method, path, None, MODERN)[0] == 401


def test_what_is_public_is_public(guarded):
    for path in ("/health", "/livez", "/readyz"):
        assert guarded.request("GET", path)[0] == 200
