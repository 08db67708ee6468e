"""What is said of the ways to begin a conversation, and of a part of a message as a case."""

from collections.abc import Mapping

from web.language import Lazy, _l

CLOSED: Mapping[str, Lazy] = {
    "idle": _l("The place is paused or answered by hand."),
    "comments": _l("One can only answer under their comments: they have not written to us in private."),
    "first": _l("The platform lets us write only to whoever has written to us first."),
    "elsewhere": _l("The platform takes no messages from the desk: write to them there."),
    "phone": _l("Only a phone is known: call them."),
    "mailbox": _l("No mailbox is connected."),
    "address": _l("There is no mail address on the card."),
}
"""Why a way is closed (services.outreach.Way.closed)."""

ERRORS: Mapping[str, Lazy] = {
    "way.unknown": _l("This way is no longer there: choose anew."),
    "way.closed": _l("One cannot write by this way now."),
    "way.own": _l("This is our own address."),
    "excerpt.none": _l("Choose some words of the message, as they stand there."),
    "excerpt.whole": _l("That is the whole message: it has its case already."),
    "join.unknown": _l("There is no case of this number."),
    "join.same": _l("That is this very case."),
    "join.part": _l("A case of a part of a message is joined to its own message only."),
    "join.people": _l("They are two people: link both accounts to one card first, if it is the same person."),
    "join.over": _l("One of the two is closed: open it first."),
    "join.grave": _l("A case of a legal kind goes on itself: open it and join the other one to it."),
    "join.none": _l("These cases were not joined, or they are two again."),
    "part.over": _l("The joined case is closed or was joined on: open it or part that first."),
    "part.order": _l("Another case was joined to it later: part that one first."),
    "part.written": _l(
        "The author has written there anew, it is case %(number)s: join that one first, or leave all as it is."
    ),
    "part.since": _l(
        "Since they were joined somebody has answered, asked a department or decided: it stays one case. A matter "
        "of its own can be split off from a message."
    ),
    "letter.date": _l("The letter must name a day from its receipt on, within a year."),
    "excerpt.used": _l("Somebody has worked in this case already: it stays one of its own."),
    "subject.empty": _l("Give the letter a subject."),
    "publication.unknown": _l("Nothing stands under this publication yet: it cannot be commented from here."),
}
