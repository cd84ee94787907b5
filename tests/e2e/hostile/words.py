"""Nonces, Retry-After, and words that end up on a terminal."""

from scripted_ca import Answer, problem

from .case import SAYS_SIZE, add_row, bent, replaced

# Nonces and Retry-After

NONCES = {
    "not base64url": "a+b/c=", "with blanks": "aaaa bbbb", "empty": "", "with quotes": 'a"b',
    "a header of 30 KiB": "a" * 30_000,
}
for nonce_name, nonce_value in NONCES.items():
    add_row("nonce: " + nonce_name, "nonce|header|" + SAYS_SIZE, lambda ca, value=nonce_value: ca.on(
        "*", lambda request, answer: answer.set_header("Replay-Nonce", value) and None))
add_row("nonce: none at all", "nonce", lambda ca: ca.on(
    "*", lambda request, answer: answer.set_header("Replay-Nonce", None) and None), timeout=4)
for resource_name in ("newAccount", "newOrder", "finalize", "cert"):
    add_row("badNonce for ever: " + resource_name, "nonce", replaced(
        resource_name, lambda ca: problem("badNonce", "and again").set_header(
            "Replay-Nonce", ca.new_nonce())), timeout=6, most={resource_name: 100})
LATER = {"huge": "1000000000000", "400 digits": "9" * 400, "a day": "86400",
         "in a thousand years": "Thu, 01 Jan 3026 00:00:00 GMT"}
for later_name, later_value in LATER.items():
    add_row("Retry-After %s: processing" % later_name, r"within \d+ s|later",
            lambda ca, value=later_value: (setattr(ca, "processing", 1e6), ca.on(
                "order", lambda request, answer: answer.set_header("Retry-After", value) and None),
                ca.on("finalize", lambda request, answer: answer.set_header("Retry-After", value)
                      and None)), timeout=3)
    add_row("Retry-After %s: 503" % later_name, "503|server|busy|later", replaced(
        "newOrder", lambda ca, value=later_value: problem("serverInternal", "busy", 503).set_header(
            "Retry-After", value)), timeout=3)
    add_row("Retry-After %s: rateLimited" % later_name, "rate|too many", replaced(
        "newOrder", lambda ca, value=later_value: problem("rateLimited", "too many orders", 429).set_header(
            "Retry-After", value)), timeout=5, most={"newOrder": 2})


# Words of the CA that end up on a terminal

WORDS = {
    "an escape sequence": "\x1b[2J\x1b[31mred\x1b]0;title\x07",
    "line ends": "first\r\nerror: forged second line",
    "a NUL": "before\0after",
    "a bell and backspaces": "a\x07\b\b\b",
    "C1 controls": "\x9b31m\x85\x90",
    "DEL": "a\x7fb",
    "bidirectional overrides": "abc\u202edef\u2066x",
    "60,000 letters": "x" * 60_000,
}
for words_name, words_text in WORDS.items():
    add_row("words with %s: detail" % words_name, ".", replaced("newOrder", lambda ca, text=words_text: (
        problem("rejectedIdentifier", text, 403))))
    add_row("words with %s: subproblem" % words_name, ".", replaced(
        "newOrder", lambda ca, text=words_text[:5000]: problem(
            "compound", "several", 403, subproblems=[
                {"type": "urn:ietf:params:acme:error:caa" + text, "detail": text,
                 "identifier": {"type": "dns", "value": text}}])))
    add_row("words with %s: type" % words_name, ".", replaced(
        "newOrder", lambda ca, text=words_text[:5000]: problem(text, "no", 403)))
add_row("words with an escape sequence: challenge error", "no such", lambda ca: ca.on(
    "order", lambda request, answer: answer.change(
        status="invalid", error={"type": "urn:ietf:params:acme:error:connection",
                                 "detail": "no such \x1b[31mhost\x1b[0m"}) and None))
add_row("words with an escape sequence: status", "status", bent(
    "newOrder", lambda a: a.change(status="\x1b[31mperhaps")))
add_row("words with an escape sequence: terms", "terms", lambda ca: ca.on(
    "directory", lambda request, answer: answer.change(
        meta={"termsOfService": "https://example.test/\x1b[31mterms"}) and None),
    config={"acme": {"agree_to_terms": False}})
add_row("words with an escape sequence: HTML", ".", replaced("newOrder", lambda ca: Answer(
    500, [("Content-Type", "text/html")], b"<h1>\x1b[31mno\x1b[0m</h1>")), timeout=3)
add_row("words that are not UTF-8: detail", ".", replaced("newOrder", lambda ca: Answer(
    403, [("Content-Type", "application/problem+json")],
    b'{"type": "urn:ietf:params:acme:error:caa", "detail": "caf\xe9 \xff\xfe"}')))
add_row("words with raw control bytes: detail", ".", replaced("newOrder", lambda ca: Answer(
    403, [("Content-Type", "application/problem+json")],
    b'{"type": "urn:ietf:params:acme:error:caa", "detail": "a\x1b[31m\0b"}')))
