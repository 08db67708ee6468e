"""What notices and incidents are called, and how a service's refusal about them is said."""

from collections.abc import Mapping

from web import messenger_words, review_words
from web.language import Lazy, _l

EVENTS: Mapping[str, Lazy] = {
    "question": _l("Questions to my department"),
    "crisis": _l("Threat to life"),
    "deadline": _l("Deadlines that come near or are over"),
    "reply": _l("A reply has not gone, or waits for agreement"),
    "incident": _l("An incident: many people complain of the same"),
    "call": _l("I am called: in a note, by a rule, news of what I follow, answers to my requests to departments"),
    "task": _l("My tasks, and contracts that wait for me"),
    "broadcast": _l("Broadcasts and what breaks on them"),
    "desk": _l("Backups, access to places, web hooks"),
    "mark": review_words.EVENT,
    "digest": _l("The digest of my department"),
}
"""Event of services.choices → what a person chooses."""

ERRORS: Mapping[str, Lazy] = {
    **review_words.ERRORS,
    **messenger_words.ERRORS,
    "choice.unknown": _l("There is no such notice any more: load the page anew."),
    "choice.quiet": _l("Quiet hours must begin and end at different times."),
    "incident.unknown": _l("There is no such incident."),
    "incident.over": _l("The incident is over already: look at it again."),
    "incident.open": _l("Finish the incident first."),
    "incident.answered": _l("Everybody in it has been told already."),
    "incident.elsewhere": _l("One of the cases stands in another incident: take it out there first."),
    "shift.empty": _l("Nothing was handed over: choose cases that you still lead."),
    "incident.no_word": _l("No word is owed here: it is no failure for everybody, or it is mended."),
    "incident.empty": _l("Choose at least one case of it."),
    "incident.row": _l(
        "A row of the table makes no sense: people cannot be more than cases, and something must count."
    ),
}

NOTICES: Mapping[str, Lazy] = {
    "broadcast.soon": _l("A broadcast begins soon"),
    "broadcast.incident": _l("An incident on air"),
    "inquiry.answered": _l("A department has answered your request"),
    "inquiry.declined": _l("A department says that your request is not its business"),
    "inquiry.clarify": _l("A department asks back about your request"),
    "incident": EVENTS["incident"],
    "webhook.failed": _l("A web hook is switched off: nothing got there for a day"),
    "mark.low": review_words.NOTICE,
    "case.shift": _l("A colleague has handed the shift over to you"),
    "messenger.moved": _l("A colleague's account of a messenger is another one now"),
    "contract.approval": _l("A contract waits for accounting's approval"),
    "contract.calculation": _l("A refund is to be reckoned"),
    "contract.debt": _l("A debt was handed over to accounting"),
    "contract.settle": _l("A contract has ended: the refund is to be assigned"),
    "contract.head": _l("The calculation of a refund waits for you"),
    "contract.claim": _l("An answer to a claim waits for you"),
}
