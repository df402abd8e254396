"""What schemathesis has to know about this API beside its document (SCHEMATHESIS_HOOKS names this file)."""

import itertools

import httpx
import schemathesis

_names = itertools.count(1)
_client = httpx.Client()


@schemathesis.auth(refresh_interval=None)
class FreshToken:
    """A token of its own for each request: those before may have been revoked by what is tested."""

    def get(self, case, context):
        address = case.operation.base_url.rstrip("/") + "/auth/token"
        answer = _client.post(address, json={"client_id": f"schemathesis-{next(_names)}"})
        return answer.raise_for_status().json()["access_token"]

    def set(self, case, data, context):
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


@schemathesis.deserializer("text/html", "text/css", "text/javascript")
def text(context, response):
    return response.content.decode()
