"""A server on a UNIX socket that does what it is told to, troubles first."""

import http.server
import json
import socketserver
import threading


class Server:
    """Answers (status, value) in the given order, then status 500; an answer of None closes the
    connection. A function in place of the order is asked (method, target, value)."""

    def __init__(self, path, *answers):
        self.seen = []  # (method, target, headers, value)
        self._answers = answers[0] if answers and callable(answers[0]) else list(answers)
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def _answer(self):
                size = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(size)
                value = json.loads(body) if body else None
                outer.seen.append((self.command, self.path, dict(self.headers), value))
                given = outer._next(self.command, self.path, value)
                if given is None:
                    return
                content = json.dumps(given[1]).encode()
                self.send_response(given[0])
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = _answer

            def log_message(self, *_):
                pass

            def address_string(self):
                return ""

        self._server = socketserver.ThreadingUnixStreamServer(str(path), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # a client that is gone
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def _next(self, *request):
        if callable(self._answers):
            return self._answers(*request)
        return self._answers.pop(0) if self._answers else (500, {})

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
