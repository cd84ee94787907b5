"""HTTP over a UNIX socket, as a program on the node would speak it."""

import http.client
import json
import socket


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def json(self):
        return json.loads(self.body)

    def __str__(self):
        return "HTTP %d %s" % (self.status, self.body[:2000])


class Connection(http.client.HTTPConnection):
    def __init__(self, path, timeout=120):
        super().__init__("localhost", timeout=timeout)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def ask(path, method, target, value=None, headers=None, timeout=90):
    """One request; VALUE is sent as JSON."""
    connection = Connection(path, timeout)
    try:
        body = None if value is None else json.dumps(value)
        connection.request(method, target, body, headers or {})
        response = connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())
    finally:
        connection.close()


def submit(path, action, data=None, **more):
    """The id of a task for this call."""
    answer = ask(path, "POST", "/v1/tasks", {"action": action, "data": data, **more})
    assert answer.status == 202, str(answer)
    return answer.json()["id"]


def ended(path, task, seconds=60):
    """The task once it has ended, by long polls."""
    for _ in range(seconds // 10 + 1):
        answer = ask(path, "GET", "/v1/tasks/%s?wait=10" % task)
        assert answer.status == 200, str(answer)
        if answer.json()["ended_at"] is not None:
            return answer.json()
    raise AssertionError("task %s did not end: %s" % (task, answer))
