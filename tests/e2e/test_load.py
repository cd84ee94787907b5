"""Many callers at once, and a kill -9 in the middle: what was answered is there afterwards.

Each caller has routes, uploads and names of its own, changes them over the socket, and keeps a record
of every answer. CERTWRIGHT_LOAD_SECONDS makes it longer than the few seconds of an ordinary run.
"""

import base64
import http.client
import json
import os
import random
import threading
import time

from harness import api, pki
from harness.wait import until

CALLERS = 8
SECONDS = float(os.environ.get("CERTWRIGHT_LOAD_SECONDS", "6"))


def act(path, action, data):
    """The result of an action, or None where the daemon went away before it answered."""
    connection = api.Connection(path, 60)
    try:
        connection.request("POST", "/v1/actions/" + action, json.dumps(data))
        return json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()


class Caller(threading.Thread):
    """One caller. `known`: thing -> what the last answered change left there; None: it was removed.

    A change that got no answer may have happened or not: what it was about is `unsure` until the next
    answer about it.
    """

    def __init__(self, number, path, pair, stop):
        super().__init__(name="caller %d" % number)
        self.number, self.path, self.pair, self.stop = number, path, pair, stop
        self.random = random.Random(number)
        self.known, self.unsure, self.wrong, self.answers = {}, set(), [], 0

    def run(self):
        while not self.stop.is_set():
            self.random.choice([self.set_route, self.set_route, self.delete_route, self.get_route,
                                self.upload, self.delete_upload, self.get_certificate,
                                self.list_routes])()

    def change(self, thing, after, action, data):
        self.unsure.add(thing)
        result = act(self.path, action, data)
        if result is None:
            time.sleep(0.05)
            return
        if result["exit_code"] == 0:
            self.known[thing] = after
        elif not (result.get("failure") or {}).get("transient"):
            self.wrong.append((action, data if action != "upload-certificate" else "", result))
        else:
            return  # it may have been done, only not served in time
        self.unsure.discard(thing)
        self.answers += 1

    def look(self, action, data):
        result = act(self.path, action, data)
        if result is not None and result["exit_code"] != 0:
            self.wrong.append((action, data, result))
        return result

    def instance(self):
        return "load%d-%d" % (self.number, self.random.randrange(5))

    def set_route(self):
        instance, port = self.instance(), self.random.randrange(1024, 65000)
        url = "http://127.0.0.1:%d" % port
        self.change(("route", instance), url, "set-route",
                    {"instance": instance, "url": url, "host": instance + ".example.test"})

    def delete_route(self):
        instance = self.instance()
        self.change(("route", instance), None, "delete-route", {"instance": instance})

    def get_route(self):
        instance = self.instance()
        thing = ("route", instance)
        result = self.look("get-route", {"instance": instance})
        if result is not None and thing in self.known and thing not in self.unsure:
            seen = result["output"].get("url")
            if seen != self.known[thing]:
                self.wrong.append((thing, seen, self.known[thing]))

    def list_routes(self):
        self.look("list-routes", self.random.choice([None, {"expand_list": True}]))

    def upload(self):
        certificate, key = self.pair
        self.change(("upload", self.number), "there", "upload-certificate", {
            "certFile": base64.b64encode(certificate).decode(),
            "keyFile": base64.b64encode(key).decode()})

    def delete_upload(self):
        thing = ("upload", self.number)
        if self.known.get(thing) == "there" and thing not in self.unsure:
            self.change(thing, None, "delete-certificate", {
                "type": "custom", "path": "custom_certificates/up%d.example.test.crt" % self.number})

    def get_certificate(self):
        self.look("get-certificate", {"fqdn": "up%d.example.test" % self.number})


def is_there(path, thing):
    kind, name = thing
    if kind == "route":
        return act(path, "get-route", {"instance": name})["output"].get("url")
    found = act(path, "get-certificate", {"fqdn": "up%d.example.test" % name})["output"]
    return "there" if found["obtained"] else None


def pair(authority, name):
    key = pki.new_key()
    leaf = authority.sign([name], key.public_key(), common_name=name)
    return pki.pem(leaf), pki.key_pem(key)


def test_every_answered_change_is_there_after_a_kill(make_world):
    world = make_world(traefik=True, config={"upload": {"verify": "none"}})
    world.certwright.serve()
    path = world.certwright.socket_path
    stop = threading.Event()
    authority = pki.Authority.root("Certwright test uploads")
    callers = [Caller(number, path, pair(authority, "up%d.example.test" % number), stop)
               for number in range(CALLERS)]
    for caller in callers:
        caller.start()
    time.sleep(SECONDS / 2)
    world.certwright.daemon.kill()
    world.certwright.serve()
    time.sleep(SECONDS / 2)
    world.certwright.daemon.kill()
    stop.set()
    for caller in callers:
        caller.join(90)
        assert not caller.is_alive(), caller.name
    world.certwright.serve()

    assert [wrong for caller in callers for wrong in caller.wrong] == []
    assert sum(caller.answers for caller in callers) > 10 * CALLERS / 2
    for caller in callers:
        for thing, left in caller.known.items():
            if thing not in caller.unsure:
                assert is_there(path, thing) == left, thing
    until(lambda: world.certwright.run("traefik", "check").code == 0, "Traefik serves all of it", 30)
