"""A small web server for CRLs and issuers' certificates, which counts what was fetched."""

from __future__ import annotations

import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class WebServer:
    """Serves ``files`` (path -> bytes; a str is an address to redirect to) on a loopback port of its own."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        self.files: dict[str, bytes | str] = {}
        self.requests: Counter[str] = Counter()
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.requests[self.path] += 1
                content = web.files.get(self.path)
                if isinstance(content, str):
                    self.send_response(302)
                    self.send_header("Location", content)
                    content = b""
                else:
                    self.send_response(404 if content is None else 200)
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer((address, 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://{address}:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
