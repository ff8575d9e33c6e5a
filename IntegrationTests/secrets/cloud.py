"""AWS as moto plays it, with its checks of signatures and permissions; a Jira that takes one token; things in between."""

import base64
import json
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest

REGION = "eu-central-1"


class Server:
    """A small HTTP server on a port of its own; answer(handler, body) says what it does."""

    def __init__(self, answer):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, headers, content = answer(self, body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = handle_one

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Jira(Server):
    """Answers searches of whoever has the token of the moment."""

    def __init__(self, token):
        self.token = token
        self.seen = []
        super().__init__(self.answer)

    def answer(self, request, body):
        given = request.headers.get("Authorization") or ""
        if given.startswith("Basic "):
            given = base64.b64decode(given.removeprefix("Basic ")).decode()
        self.seen.append(given)
        if given != f"test@example.com:{self.token}":
            # Whoever refuses may quote what it was sent.
            return 401, {"Content-Type": "application/json"}, json.dumps({"error": {"message": f"no: {given}"}}).encode()
        return 200, {"Content-Type": "application/json"}, b'{"issues": [], "isLast": true}'


class Gate(Server):
    """Stands before moto, and throttles or fails when it is told to."""

    def __init__(self, target):
        self.target = target
        self.refusals = 0
        self.refusal = (400, b'{"__type": "ThrottlingException", "message": "Rate exceeded"}')
        self.asked = 0
        super().__init__(self.answer)

    def answer(self, request, body):
        self.asked += 1
        if self.refusals > 0:
            self.refusals -= 1
            status, content = self.refusal
            return status, {"Content-Type": "application/x-amz-json-1.1"}, content
        # The signature is for the host that the client knows.
        forwarded = urllib.request.Request(self.target + request.path, body or None, dict(request.headers), method=request.command)
        try:
            with urllib.request.urlopen(forwarded, timeout=20) as response:
                return response.status, {"Content-Type": response.headers["Content-Type"]}, response.read()
        except urllib.error.HTTPError as error:
            return error.code, {"Content-Type": error.headers.get("Content-Type", "text/plain")}, error.read()


class Cloud:
    """A running moto."""

    def __init__(self, log):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)], stdout=log, stderr=log
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{self.url}/moto-api/data.json", timeout=5).close()
                break
            except OSError:
                assert self.process.poll() is None, "moto ended"
                time.sleep(0.1)
        else:
            self.close()
            pytest.fail("moto did not answer in 60 s")
        self.reset()

    def close(self):
        self.process.terminate()
        self.process.wait()

    def post(self, path, body=b""):
        headers = {"Content-Type": "text/plain"}  # A form would be taken apart.
        urllib.request.urlopen(urllib.request.Request(self.url + path, body, headers, method="POST"), timeout=20).close()

    def reset(self):
        """Empty, and everybody may do everything."""
        self.post("/moto-api/reset-auth", b"inf")
        self.post("/moto-api/reset")
        self.admin = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}

    def client(self, service):
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id=self.admin["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.admin["AWS_SECRET_ACCESS_KEY"],
        )

    def user(self, name, *actions):
        """An access key of a new user who may do some things."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}
        if actions:
            iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=json.dumps(document))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}

    def enforce(self):
        """From now on signatures and permissions are checked."""
        self.admin = self.user("admin", "*")
        self.post("/moto-api/reset-auth", b"0")
