"""What a case of a hostile CA is, and the ways in which one is made."""

from dataclasses import dataclass, field

NAME = "a.example.test"
EVIL = "evil-cafe"  # a mark that would be found again in a file name


@dataclass
class Case:
    name: str
    bend: object  # bend(ca)
    says: str  # what stderr names, as a pattern
    names: tuple = (NAME,)
    config: dict = field(default_factory=dict)
    timeout: int = 6  # --timeout
    most: dict = field(default_factory=dict)  # {resource: how many requests at most}


CASES = []


def row(name, says, **options):
    def add(bend):
        CASES.append(Case(name, bend, says, **options))
        return bend
    return add


def add_row(name, says, bend, **options):
    CASES.append(Case(name, bend, says, **options))


def bent(resource, change):
    """A bend that applies CHANGE(answer) to every answer of RESOURCE."""
    def bend(ca):
        ca.on(resource, lambda request, answer: change(answer) and None)
    return bend


def replaced(resource, make):
    """A bend that gives MAKE(ca) in place of every answer of RESOURCE, and does nothing else."""
    def bend(ca):
        ca.inert.add(resource)
        ca.on(resource, lambda request, answer: make(ca))
    return bend


def sent(resource, sender):
    """A bend by which SENDER(ca) writes in place of every answer of RESOURCE, and does nothing else."""
    def bend(ca):
        ca.inert.add(resource)

        def hook(request, answer):
            answer.send = sender(ca)
        ca.on(resource, hook)
    return bend


def set_member(answer, member, value):
    content = answer.json()
    content[member] = value
    answer.set_json(content)


def change_challenges(change):
    """A change of an authorization that applies CHANGE(challenge) to its http-01 challenge."""
    def apply(answer):
        value = answer.json()
        for challenge in value["challenges"]:
            if challenge["type"] == "http-01":
                change(challenge)
        answer.set_json(value)
    return apply


def raw_text(answer, old, new):
    """Puts the bytes NEW where the JSON body has the text OLD."""
    assert old in answer.body, answer.body
    answer.body = answer.body.replace(old, new)


JSON_RESOURCES = ("directory", "newAccount", "newOrder", "order", "authz", "challenge", "finalize")
WITH_BODY = JSON_RESOURCES + ("cert",)
SAYS_SIZE = r"large|larger|limit|too long|too big|too many|more than|over \d+|exceed|deep"
# The last words of an exchange that came to no end, or of a run whose time was over.
SAYS_CUT_OFF = (r"timed out|within \d+ s|did not (answer|end|finish)|no answer|cut|closed|ended|"
                "connection|incomplete|reach|lost|" + SAYS_SIZE)
HTML = b"<!DOCTYPE html><html><head><title>Captive portal</title></head><body>Log in</body></html>"
