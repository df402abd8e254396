#!/usr/bin/env python3
"""Chat with T.A.R.S. from Python: one token, one WebSocket, one streamed answer.

    python3 -m venv ~/tars-py && ~/tars-py/bin/pip install websockets httpx
    ~/tars-py/bin/python docs/examples/websocket_client_example.py --message "What is a binary star?"

Everything a client needs is in this file: get an access token, open /ws/chat, send a `chat`
message, print tokens as they arrive, answer `ping` with `pong`, and stop at `complete` or `error`.
Exit status: 0 after a whole answer, 1 with one line on stderr otherwise.
"""

import argparse
import asyncio
import json
import sys
from urllib.parse import urlsplit, urlunsplit

try:
    import httpx
    import websockets
    from websockets.asyncio.client import connect  # websockets 13; Debian 12 has 10.4
except ImportError as missing:
    sys.exit(f"error: {missing}; get what this needs: python3 -m venv ~/tars-py && "
             "~/tars-py/bin/pip install websockets httpx, and run it with ~/tars-py/bin/python")

SILENCE_SECONDS = 120  # a server that says nothing this long (not even a ping) is taken for gone


class ClientError(Exception):
    """Something the person at the terminal can act on; printed as one line."""


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Stream one answer from a T.A.R.S. server.")
    parser.add_argument("--url", default="http://localhost:8000", help="where the server listens")
    parser.add_argument("--message", default="Hello T.A.R.S.! What can you do?", help="what to ask")
    parser.add_argument("--client-id", default="python-example", help="the name of this client")
    parser.add_argument("--conversation-id", help="continue this conversation")
    parser.add_argument("--max-tokens", type=int, default=256, help="longest answer (256)")
    parser.add_argument("--enrollment-key", help="where the server asks for one")
    return parser.parse_args()


async def fetch_token(options: argparse.Namespace) -> str:
    """POST /auth/token and return the access token."""
    body = {
        "client_id": options.client_id,
        "device_name": "Python example",
        "device_type": "python",
    }
    if options.enrollment_key:
        body["enrollment_key"] = options.enrollment_key
    async with httpx.AsyncClient(timeout=10) as http:
        response = await http.post(f"{options.url.rstrip('/')}/auth/token", json=body)
    if response.status_code != 200:
        try:
            detail = response.json()["detail"]
        except (ValueError, KeyError, TypeError):
            detail = response.reason_phrase
        raise ClientError(f"no token: {detail} (HTTP {response.status_code})")
    return response.json()["access_token"]


def socket_url(base: str) -> str:
    """http://host:port -> ws://host:port/ws/chat, https -> wss."""
    parts = urlsplit(base)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme)
    if scheme is None or not parts.netloc:
        raise ClientError(f"--url must look like http://localhost:8000, not {base!r}")
    return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/") + "/ws/chat", "", ""))


async def receive(socket) -> dict:
    """The next message, decoded."""
    try:
        return json.loads(await asyncio.wait_for(socket.recv(), SILENCE_SECONDS))
    except asyncio.TimeoutError:
        raise ClientError(f"the server said nothing for {SILENCE_SECONDS} s") from None


async def stream_answer(socket, options: argparse.Namespace) -> None:
    """Send one chat message and print what comes back until the run has ended."""
    message = {"type": "chat", "content": options.message, "max_tokens": options.max_tokens}
    if options.conversation_id:
        message["conversation_id"] = options.conversation_id
    await socket.send(json.dumps(message))

    while True:
        frame = await receive(socket)
        match frame.get("type"):
            case "token":
                print(frame["token"], end="", flush=True)
            case "queued":
                print(f"[waiting, position {frame['position']}]", file=sys.stderr)
            case "ping":
                await socket.send(json.dumps({"type": "pong"}))
            case "system":
                print(f"[{frame.get('level', 'info')}] {frame['message']}", file=sys.stderr)
            case "error":
                raise ClientError(f"{frame['code']}: {frame['error']}")
            case "complete":
                print()
                print(
                    f"[{frame['total_tokens']} tokens in {frame['latency_ms'] / 1000:.1f} s, "
                    f"finish reason {frame.get('finish_reason', 'unknown')}, "
                    f"conversation {frame['conversation_id']}]"
                )
                return
            case _:
                pass  # a newer server may say more; what is not known is not needed


async def chat(options: argparse.Namespace) -> None:
    url = socket_url(options.url)
    token = await fetch_token(options)
    # The header keeps the token out of URLs and so out of proxies' logs; browsers, which cannot set
    # it, send it as a subprotocol or as ?token=.
    headers = {"Authorization": f"Bearer {token}"}
    async with connect(url, additional_headers=headers) as socket:
        ack = await receive(socket)
        if ack.get("type") != "connection_ack":
            raise ClientError(f"expected connection_ack, got {ack.get('type')}")
        print(f"[connected as {ack['client_id']}, session {ack['session_id']}]")
        await stream_answer(socket, options)


def main() -> int:
    options = parse_arguments()
    try:
        asyncio.run(chat(options))
        return 0
    except ClientError as error:
        problem = str(error)
    except websockets.ConnectionClosed as error:
        close = error.rcvd
        problem = f"the server closed the connection: {close.code} {close.reason}" if close else (
            "the connection to the server was lost")
    except websockets.InvalidStatus as error:
        problem = f"the server refused the WebSocket: HTTP {error.response.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL, OSError, websockets.WebSocketException) as error:
        reason = str(error) or type(error).__name__
        problem = f"cannot reach {options.url}: {reason}; is the server running?"
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 130
    print(f"error: {problem}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
