"""What programs on a NethServer 8 node say to Traefik's module, said to Certwright's socket.

The names, arguments and results are those of the node's own library `agent`, as far as programs that
need certificates and routes go.
"""

from . import tasks
from .certificates import certificate_event_matches, get_certificate_and_key
from .environment import mset_env, read_envfile, set_env, unset_env
from .programs import (SD_ALERT, SD_CRIT, SD_DEBUG, SD_EMERG, SD_ERR, SD_INFO, SD_NOTICE,
                       SD_WARNING, assert_exp, run_helper, set_progress, set_status, set_weight)
from .selectors import resolve_agent_id
from .traefik import get_certificate, get_route, set_certificate, set_route

__all__ = [
    "SD_ALERT", "SD_CRIT", "SD_DEBUG", "SD_EMERG", "SD_ERR", "SD_INFO", "SD_NOTICE", "SD_WARNING",
    "assert_exp", "certificate_event_matches", "get_certificate", "get_certificate_and_key",
    "get_route", "mset_env", "read_envfile", "resolve_agent_id", "run_helper", "set_certificate",
    "set_env", "set_progress", "set_route", "set_status", "set_weight", "tasks", "unset_env",
]
