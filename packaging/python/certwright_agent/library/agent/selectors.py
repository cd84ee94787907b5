"""Who is called."""

import os
import warnings

from . import sockets

_TRAEFIK = "traefik"  # the name that Certwright goes by on a node
_DEFAULT = "traefik1"


def resolve_agent_id(agent_selector, node_id=None):
    """"module/traefik1" of "traefik@node" or "traefik@cluster": the module that Certwright says it is,
    or, where it does not answer, is by default. Other selectors stand for what they say; one that
    leads nowhere gives None and a warning."""
    if node_id is None:
        node_id = os.environ.get("NODE_ID")
    name, _, place = agent_selector.partition("@")
    resolved = None
    if place in ("node", "cluster"):
        resolved = "module/" + _module_id() if name == _TRAEFIK else None
    elif agent_selector == "node":
        resolved = "node/%s" % node_id if node_id else None
    elif agent_selector == "self":
        resolved = os.environ.get("AGENT_ID")
    elif agent_selector.isdigit():
        resolved = "node/" + agent_selector
    elif agent_selector == "cluster" or agent_selector.startswith(("module/", "node/")):
        resolved = agent_selector
    else:
        resolved = "module/" + agent_selector
    if resolved is None:
        warnings.warn("%r leads to no agent" % agent_selector, stacklevel=2)
    return resolved


def _module_id():
    try:
        return sockets.ask("GET", "/v1/health", patience=0).value.get("module_id") or _DEFAULT
    except OSError:
        return _DEFAULT
