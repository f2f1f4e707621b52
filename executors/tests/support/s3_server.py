"""An S3 server for tests: moto behind a door that refuses what S3 refuses and moto does not look at.

The signature of every request (recomputed by botocore), and the SHA-256 of what is sent. What the tests steer lies in FOLDER:
`fault` ("STATUS CODE": how writes are answered), `silent` (no checksum is told),
`race` (the next object is there before it is written), `rot` (what is kept is not what came), and `log`, a line for each request.

With `cert.pem` and `key.pem` there it speaks TLS.

usage: s3_server.py FOLDER BUCKET KEY SECRET REGION; prints its port, ends with its standard input.
"""

import base64
import datetime
import hashlib
import io
import os
import sys
import threading
from pathlib import Path
from urllib.parse import parse_qsl

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.moto_server.werkzeug_app import create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import WSGIRequestHandler, make_server

FOLDER, (BUCKET, KEY, SECRET, REGION) = Path(sys.argv[1]), sys.argv[2:]
LOCK = threading.Lock()


def headers(environ):
    found = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            found[name.replace("_", "-").lower()] = environ[name]
    return found


def refusal(environ, sent):
    """None, or status and code as S3 would answer."""
    query = dict(parse_qsl(environ["QUERY_STRING"], keep_blank_values=True))
    if "X-Amz-Signature" not in query:
        # The tests' own look at the bucket, by boto3.
        return None if "authorization" in sent else (403, "AccessDenied")
    signed = query["X-Amz-SignedHeaders"].split(";")
    if any(name.startswith("x-amz-") and name not in signed for name in sent):
        return 403, "AccessDenied"
    made = datetime.datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    age = (datetime.datetime.now(datetime.timezone.utc) - made).total_seconds()
    if not -900 < age < int(query["X-Amz-Expires"]) <= 604800:
        return 403, "RequestTimeTooSkewed"
    if query["X-Amz-Credential"].split("/")[0] != KEY:
        return 403, "InvalidAccessKeyId"
    kept = "&".join(pair for pair in environ["QUERY_STRING"].split("&") if not pair.startswith("X-Amz-Signature="))
    url = f"{environ['wsgi.url_scheme']}://{environ['HTTP_HOST']}{environ['REQUEST_URI'].split('?')[0]}?{kept}"
    request = AWSRequest(environ["REQUEST_METHOD"], url, headers={name: sent[name] for name in signed})
    request.context["timestamp"] = query["X-Amz-Date"]
    auth = S3SigV4QueryAuth(Credentials(KEY, SECRET), "s3", REGION)
    expected = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    return None if expected == query["X-Amz-Signature"] else (403, "SignatureDoesNotMatch")


def answer(start_response, status, code):
    start_response(f"{status} {code}", [("Content-Type", "application/xml")])
    return [f"<Error><Code>{code}</Code><Message>said by the test</Message></Error>".encode()]


def door(inner):
    def app(environ, start_response):
        size = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(size)
        if len(body) < size:
            # The connection broke: what did not come whole did not come.
            return answer(start_response, 400, "IncompleteBody")
        sent = headers(environ)
        environ["wsgi.input"] = io.BytesIO(body)
        refused = refusal(environ, sent)
        told = sent.get("x-amz-checksum-sha256")
        if not refused and told and base64.b64decode(told) != hashlib.sha256(body).digest():
            refused = 400, "BadDigest"
        fault = FOLDER / "fault"
        if not refused and environ["REQUEST_METHOD"] in ("PUT", "POST") and "authorization" not in sent and fault.exists():
            status, code = fault.read_text().split()
            refused = int(status), code
        race = FOLDER / "race"
        if environ["REQUEST_METHOD"] == "PUT" and race.exists():
            # Somebody else comes first, after the courier has looked.
            race.unlink()
            s3_backends["123456789012"]["aws"].put_object(BUCKET, environ["PATH_INFO"].split("/", 2)[2], b"other")
        if environ["REQUEST_METHOD"] == "PUT" and (FOLDER / "rot").exists():
            environ["wsgi.input"] = io.BytesIO(body[:-1] + b"?")
        query = "&".join(pair for pair in environ["QUERY_STRING"].split("&") if not pair.startswith("X-Amz-"))
        with LOCK, open(FOLDER / "log", "a") as log:
            if "authorization" not in sent:
                log.write(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}?{query} {refused or 'passed'}\n")
        if refused:
            return answer(start_response, *refused)

        def start(status, told, exc_info=None):
            if (FOLDER / "silent").exists():
                told = [(name, value) for name, value in told if not name.lower().startswith("x-amz-checksum")]
            return start_response(status, told, exc_info)

        with LOCK:
            return inner(environ, start)

    return app


class Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type, message, *args):
        pass


s3_backends["123456789012"]["aws"].create_bucket(BUCKET, REGION)
TLS = (FOLDER / "cert.pem", FOLDER / "key.pem")
server = make_server(
    "127.0.0.1",
    0,
    door(create_backend_app("s3")),
    True,
    request_handler=Handler,
    ssl_context=tuple(map(str, TLS)) if TLS[0].exists() else None,
)
print(server.server_address[1], flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
os._exit(0)
