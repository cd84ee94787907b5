"""JSON that is not what the resource is, and orders that are not what was asked for."""

import json

from harness.ports import free_port
from scripted_ca import Answer

from .case import (HTML, JSON_RESOURCES, NAME, SAYS_SIZE, add_row, bent, change_challenges, raw_text,
                   replaced, row, set_member)

# JSON that is not what the resource is

# Of the account only its URL is needed: its body may be left unread, as the challenge's and the
# finalize's, where the order tells all.
SAYS_NO_JSON = r"JSON|HTML|Location|within \d+ s"
for resource_name in JSON_RESOURCES:
    if resource_name != "challenge":
        add_row("HTML with 200: " + resource_name, SAYS_NO_JSON, replaced(
            resource_name, lambda ca: Answer(200, [("Content-Type", "text/html")], HTML)))
        add_row("empty body: " + resource_name, SAYS_NO_JSON, replaced(
            resource_name, lambda ca: Answer(200, [("Content-Type", "application/json")], b"")))
    add_row("HTML with 502: " + resource_name, "502|server", replaced(
        resource_name, lambda ca: Answer(502, [("Content-Type", "text/html")], HTML)), timeout=3)
for json_name, json_body in {"an array": b"[]", "null": b"null", "a number": b"1", "a text": b'"x"',
                             "two values": b"{} {}", "cut short": b'{"status": "pend',
                             "a byte order mark": b"\xef\xbb\xbf{}", "NaN": b'{"status": NaN}',
                             "an empty object": b"{}"}.items():
    for resource_name in ("directory", "newOrder", "authz"):
        add_row("JSON is %s: %s" % (json_name, resource_name), ".",
                bent(resource_name, lambda a, body=json_body: setattr(a, "body", body)))

WRONG_TYPES = [
    ("directory", "newOrder", 1), ("directory", "newNonce", None), ("directory", "newAccount", {}),
    ("newOrder", "status", 5), ("newOrder", "status", None), ("newOrder", "identifiers", NAME),
    ("newOrder", "identifiers", [NAME]), ("newOrder", "identifiers", {"type": "dns", "value": NAME}),
    ("newOrder", "identifiers", [{"type": "dns", "value": 7}]), ("newOrder", "authorizations", {}),
    ("newOrder", "authorizations", "https://127.0.0.1/authz/0"), ("newOrder", "authorizations", [7]),
    ("newOrder", "finalize", ["https://127.0.0.1/f"]), ("order", "status", True),
    ("authz", "status", 1), ("authz", "identifier", NAME), ("authz", "identifier", None),
    ("authz", "identifier", {"type": "dns", "value": [NAME]}), ("authz", "challenges", {}),
    ("authz", "challenges", "http-01"), ("authz", "challenges", ["http-01"]),
    ("authz", "challenges", None),
]
for wrong_resource, wrong_member, wrong_value in WRONG_TYPES:
    add_row("type: %s of %s is %s" % (wrong_member, wrong_resource, json.dumps(wrong_value)[:30]),
            wrong_member.rstrip("s") + "|" + wrong_member, bent(wrong_resource, lambda a, m=wrong_member,
                                                                v=wrong_value: set_member(a, m, v)))




add_row("type: url of the challenge is a number", "URL|url", bent(
    "authz", change_challenges(lambda c: c.update(url=7))))
add_row("type: certificate is an array", "certificate", bent(
    "finalize", lambda a: a.change(status="valid", certificate=["https://127.0.0.1/c"])))
for twice_resource, twice_text in {
        "directory": b'{"newOrder": "https://127.0.0.1/x", ', "newOrder": b'{"status": "ready", ',
        "order": b'{"status": "valid", ', "authz": b'{"status": "valid", '}.items():
    add_row("duplicate key: " + twice_resource, "duplicate|twice|JSON", bent(
        twice_resource, lambda a, text=twice_text: setattr(a, "body", text + a.body[1:])))
add_row("duplicate key: token", "duplicate|twice|JSON", bent("authz", lambda a: raw_text(
    a, b'"token":', b'"token": "aaaaaaaaaaaaaaaaaaaaaaaa", "token":')))


# Orders and authorizations that are not what was asked for

ORDERS = {
    "another identifier": ({"identifiers": [{"type": "dns", "value": "other.example.test"}]}, "identifier|name"),
    "one more identifier": ({"identifiers": [{"type": "dns", "value": NAME},
                                             {"type": "dns", "value": "b.example.test"}]}, "identifier|name"),
    "no identifiers": ({"identifiers": []}, "identifier|name"),
    "identifiers missing": ({"identifiers": None}, "identifier|name"),
    "another identifier type": ({"identifiers": [{"type": "ip", "value": NAME}]}, "identifier|name"),
    "no authorizations": ({"authorizations": []}, "authorization"),
    "authorizations missing": ({"authorizations": None}, "authorization"),
    "finalize missing": ({"finalize": None}, "finalize"),
    "status missing": ({"status": None}, "status"),
    "status unknown": ({"status": "perhaps"}, "status|perhaps"),
    "status empty": ({"status": ""}, "status"),
    "10,000 authorizations": ({"authorizations": ["https://127.0.0.1/authz/%d" % i
                                                  for i in range(10_000)]}, "authorization|" + SAYS_SIZE),
    "300 authorizations": ({"authorizations": ["https://127.0.0.1:1/authz/%d" % i
                                               for i in range(300)]}, "authorization|" + SAYS_SIZE),
    "valid without certificate": ({"status": "valid"}, "certificate"),
    "invalid without a reason": ({"status": "invalid"}, "invalid"),
}
for order_name, (order_change, order_says) in ORDERS.items():
    add_row("order: " + order_name, order_says,
            bent("newOrder", lambda a, change=order_change: a.change(**change)))
add_row("order: the same authorization twice", "authorization", bent(
    "newOrder", lambda a: a.change(authorizations=2 * a.json()["authorizations"][:1])),
    names=(NAME, "b.example.test"))
add_row("order: other identifiers when polled", "identifier|name", bent(
    "order", lambda a: a.change(identifiers=[{"type": "dns", "value": "other.example.test"}])))
add_row("order: valid without certificate after finalize", "certificate", bent(
    "finalize", lambda a: a.change(status="valid", certificate=None)))
add_row("order: unknown status after finalize", "status|perhaps", bent(
    "finalize", lambda a: a.change(status="perhaps")))
add_row("order: back to pending after finalize", "status|pending|back", bent(
    "finalize", lambda a: a.change(status="pending")))
add_row("order: invalid after finalize", "invalid", bent(
    "finalize", lambda a: a.change(status="invalid")))
add_row("order: processing for ever", r"within \d+ s|later", lambda ca: setattr(ca, "processing", 1e6),
        timeout=3)
add_row("order: pending for ever", r"within \d+ s|later", lambda ca: (
    ca.on("order", lambda request, answer: answer.change(status="pending") and None)), timeout=3)


@row("order: back to pending after processing", "status|pending|back", timeout=4)
def _order_backwards(ca):
    ca.processing = 0.5
    ca.on("order", lambda request, answer: answer.change(status="pending") and None
          if request.order.chain else None)


AUTHZS = {
    "another name": ({"identifier": {"type": "dns", "value": "other.example.test"}}, "name|identifier|other"),
    "another type": ({"identifier": {"type": "ip", "value": "127.0.0.1"}}, "name|identifier"),
    "status unknown": ({"status": "perhaps"}, "status|perhaps"),
    "status missing": ({"status": None}, "status"),
    "no challenges": ({"challenges": []}, "challenge|http-01"),
    "no HTTP-01": ({"challenges": [{"type": "dns-01", "url": "https://127.0.0.1/d", "status": "pending",
                                    "token": "a" * 32}]}, "http-01"),
    "revoked": ({"status": "revoked"}, "revoked|authorization"),
    "deactivated": ({"status": "deactivated"}, "deactivated|authorization"),
    "expired": ({"status": "expired"}, "expired|authorization"),
}
for authz_name, (authz_change, authz_says) in AUTHZS.items():
    add_row("authorization: " + authz_name, authz_says,
            bent("authz", lambda a, change=authz_change: a.change(**change)))
add_row("challenge: status unknown", "status|challenge", bent(
    "authz", change_challenges(lambda c: c.update(status="perhaps"))))
add_row("challenge: refused after it was looked for", "unauthorized|found|validation|CA", lambda ca: (
    setattr(ca, "http_port", free_port())))
