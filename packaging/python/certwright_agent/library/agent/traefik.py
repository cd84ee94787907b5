"""Routes and certificates in one call each, for the steps of a module's actions."""

import json
import sys

from . import tasks
from .programs import set_status
from .selectors import resolve_agent_id


def get_route(instance, agent_id=None):
    """The route, or {} where it is not there or cannot be had."""
    return _asked("get-route", {"instance": instance}, agent_id)


def get_certificate(fqdn, agent_id=None):
    """The output of get-certificate, or {}."""
    return _asked("get-certificate", {"fqdn": fqdn}, agent_id)


def set_route(data, error_passthrough=True, agent_id=None):
    """The result of set-route. With ERROR_PASSTHROUGH the certificate comes first (60 s at most), and a
    failure ends this program as its own: output, error and exit code are the action's."""
    if error_passthrough:
        data = {**data, "lets_encrypt_check": True, "lets_encrypt_cleanup": True}
    return _done("set-route", data, error_passthrough, agent_id)


def set_certificate(data, error_passthrough=True, agent_id=None):
    """The result of set-certificate; ERROR_PASSTHROUGH: see set_route."""
    return _done("set-certificate", data, error_passthrough, agent_id)


def _call(action, data, agent_id):
    return tasks.run(agent_id or resolve_agent_id("traefik@node"), action, data)


def _asked(action, data, agent_id):
    response = _call(action, data, agent_id)
    return response["output"] if response["exit_code"] == 0 else {}


def _done(action, data, error_passthrough, agent_id):
    response = _call(action, data, agent_id)
    code = response["exit_code"]
    if code == 0 or not error_passthrough:
        return response
    print(response["error"], file=sys.stderr)
    if response["output"] != "":
        print(json.dumps(response["output"]))
    if 2 <= code < 30:
        set_status("validation-failed")
    sys.exit(code)
