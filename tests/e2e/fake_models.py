"""A stand-in for a model server, Ollama's API and the OpenAI-compatible one. It is no model: what it
answers is what the last message asks for."""

from __future__ import annotations

import json
import re
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

WORD = re.compile(r"\[\[(.*?)\]\]")


class FakeModels:
    """Listens on a free port until close(). A prompt may say what happens: `[[tokens=5]]`,
    `[[error=2]]` (an error after two tokens), `[[drop=2]]` (the connection is cut there),
    `[[hang=0]]` (nothing more comes from there on), `[[status=503]]`. With `tls`, a certificate and
    its key, it speaks https."""

    def __init__(self, name: str = "fake", tls: tuple[Path, Path] | None = None):
        self.name = name
        self.scheme = "https" if tls else "http"
        self.requests: list[dict] = []  # bodies, with path and headers
        self.closed = threading.Event()  # a client left in the middle
        self.refuse = False  # every request is cut
        self.busy = 0  # so many chats are answered 429 first
        self._over = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60

            def log_message(self, *_):
                pass

            def do_GET(self):
                self.close_connection = outer.refuse or outer._over.is_set()
                if not self.close_connection:
                    self.reply(200, {"models": [{"name": outer.name}], "data": [{"id": outer.name}]})

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.requests.append({**body, "path": self.path, "headers": dict(self.headers)})
                try:
                    outer.answer(self, body)
                except (BrokenPipeError, ConnectionResetError):
                    outer.closed.set()
                    self.close_connection = True

            def reply(self, status: int, body: dict):
                raw = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def chunk(self, text: str):
                raw = text.encode()
                self.wfile.write(b"%x\r\n%s\r\n" % (len(raw), raw))

            def hang(self):
                """Until the client leaves."""
                self.connection.settimeout(0.02)
                while not outer._over.is_set():
                    try:
                        if not self.connection.recv(1):
                            raise ConnectionResetError
                    except TimeoutError:
                        continue

        class Listener(ThreadingHTTPServer):
            request_queue_size = 64

            def handle_error(self, *_):
                """A client that left is no news."""

        self.server = Listener(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            # The handshake is left to the thread of the connection.
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                     do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._over.set()
        self.server.shutdown()
        self.server.server_close()

    def answer(self, handler, body: dict) -> None:
        if self._over.is_set():
            raise ConnectionResetError
        told = WORD.search(body["messages"][-1]["content"])
        orders = dict(o.split("=") for o in told.group(1).split()) if told else {}
        if body["model"] != self.name:
            handler.reply(404, {"error": f"model '{body['model']}' not found"})
            return
        if self.busy > 0:
            self.busy -= 1
            handler.reply(429, {"error": "busy"})
            return
        if "status" in orders:
            handler.reply(int(orders["status"]), {"error": "told to fail"})
            return
        openai = handler.path.endswith("/chat/completions")
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.send_header("Content-Type",
                            "text/event-stream" if openai else "application/x-ndjson")
        handler.end_headers()
        for i in range(int(orders.get("tokens", 3)) + 1):
            at = str(i)
            if orders.get("error") == at:
                line = json.dumps({"error": "told to fail"})
                handler.chunk(f"data: {line}\n\n" if openai else line + "\n")
                handler.chunk("") if openai else handler.wfile.write(b"0\r\n\r\n")
                return
            if orders.get("drop") == at:
                handler.close_connection = True
                return
            if orders.get("hang") == at:
                handler.wfile.flush()
                handler.hang()
            if i < int(orders.get("tokens", 3)):
                handler.chunk(self.token(f"{self.name}{i} ", openai))
        handler.chunk(self.last(openai))
        handler.wfile.write(b"0\r\n\r\n")

    def token(self, text: str, openai: bool) -> str:
        if openai:
            event = {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}
            return f"data: {json.dumps(event)}\n\n"
        return json.dumps({"model": self.name, "message": {"role": "assistant", "content": text},
                           "done": False}) + "\n"

    def last(self, openai: bool) -> str:
        if openai:
            end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
            usage = {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 3}}
            return f"data: {json.dumps(end)}\n\ndata: {json.dumps(usage)}\n\ndata: [DONE]\n\n"
        return json.dumps({"model": self.name, "message": {"role": "assistant", "content": ""},
                           "done": True, "done_reason": "stop", "prompt_eval_count": 9,
                           "eval_count": 3}) + "\n"
