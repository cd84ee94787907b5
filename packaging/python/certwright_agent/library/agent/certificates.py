"""Certificates, and the event that tells of them."""

import base64
import os

from . import tasks
from .selectors import resolve_agent_id


def certificate_event_matches(event, name):
    """Whether the payload of a certificate-changed event concerns NAME on this node (NODE_ID; without
    it every event is this node's): the name itself, or the wildcard of one label that covers it."""
    node_id = os.environ.get("NODE_ID")
    if node_id is not None and str(event.get("node_id")) != node_id:
        return False
    name = name.lower()
    _, dot, domain = name.partition(".")
    covering = (name, "*." + domain) if dot else (name,)
    return any(each.lower() in covering for each in event.get("names", []))


def get_certificate_and_key(name):
    """The best certificate for NAME, or the node's self-signed one: (chain, key) as PEM texts. Raises
    RuntimeError where Certwright does not give it."""
    response = tasks.run(resolve_agent_id("traefik@node"), "get-certificate", {"fqdn": name})
    if response["exit_code"] != 0:
        raise RuntimeError("get-certificate of %s: %s" % (name, response["error"]))
    if not response["output"]["certificates"]:
        raise RuntimeError("there is no certificate for %s, and no self-signed one yet" % name)
    first = response["output"]["certificates"][0]
    return tuple(base64.b64decode(first[part]).decode() for part in ("cert", "key"))
