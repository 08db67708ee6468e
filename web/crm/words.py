"""Words of client relations: tables from the codes of services.crm to what screens say."""

from collections.abc import Mapping

from models import Event
from web.contract_words import DOCUMENTS
from web.language import Lazy, _, _l

KINDS: Mapping[str, Lazy] = {
    "person": _l("Person"),
    "organisation": _l("Organisation"),
    "entrepreneur": _l("Entrepreneur"),
}
STATES: Mapping[str, Lazy] = {"archived": _l("In the archive"), "merged": _l("Part of another card")}
SEGMENTS: Mapping[str, Lazy] = {
    "potential": _l("Potential"),
    "active": _l("Active"),
    "regular": _l("Regular"),
    "former": _l("Former"),
}
SEGMENT_TONES: Mapping[str, str] = {"active": "chip-good", "regular": "chip-good", "former": "chip-warn"}
CONTACTS: Mapping[str, Lazy] = {
    "phone": _l("Phone"),
    "mail": _l("Mail"),
    "messenger": _l("Messenger"),
    "address": _l("Address"),
}
CONTACT_ICONS: Mapping[str, str] = {"phone": "phone", "mail": "mail", "messenger": "message-2", "address": "home"}
BASES: Mapping[str, Lazy] = {
    "said": _l("said so"),
    "order": _l("an order of GetCourse"),
    "contact": _l("the account is a contact of the card"),
    "form": _l("wrote it in the form"),
    "call": _l("called from the number of the card"),
    "confirmed": _l("confirmed by a colleague"),
}
"""How we know that an author is a client."""
EVIDENCE: Mapping[str, Lazy] = {
    "own_mail": _l("writes from the mail address of the card"),
    "own_phone": _l("calls from the number of the card"),
    "form": _l("gave the contact of the card in the form"),
    "wrote": _l("wrote the contact of the card in a message"),
    "messenger": _l("the account stands in the card"),
    "name": _l("the same name"),
}
SIMILAR: Mapping[str, Lazy] = {
    "contact": _l("the same contact"),
    "inn": _l("the same INN"),
    "birthday": _l("the same name and birthday"),
}
TIES: Mapping[str, Lazy] = {
    "guardian": _l("Legal representative"),
    "payer": _l("Payer"),
    "employer": _l("Employer"),
    "contact": _l("Contact person"),
}
TIES_BACK: Mapping[str, Lazy] = {
    "guardian": _l("Legal representative of"),
    "payer": _l("Pays for"),
    "employer": _l("Employer of"),
    "contact": _l("Contact person of"),
}
PURPOSES: Mapping[str, Lazy] = {
    "answer": _l("An answer to the letter"),
    "contract_other": _l("A contract in somebody else's favour"),
    "marketing": _l("Advertising"),
    "dissemination": _l("Showing a review in public"),
    "recording": _l("Recording of calls"),
    "third_parties": _l("Passing data on"),
}
HOWS: Mapping[str, Lazy] = {
    "form": _l("the form on the site"),
    "paper": _l("on paper"),
    "site": _l("on the site"),
    "call": _l("by telephone"),
    "letter": _l("by letter"),
    "import": _l("from a file"),
}
FLAGS: Mapping[str, Lazy] = {"no_ads": _l("Send no advertising"), "dispute": _l("Dispute"), "threat": _l("Threat")}
DETAILS: Mapping[str, Lazy] = {
    "full_name": _l("Full name"),
    "kpp": _l("KPP"),
    "ogrn": _l("OGRN"),
    "address": _l("Address"),
    "bank": _l("Bank details"),
    "signatory": _l("Who signs"),
    "authority": _l("On the basis of"),
    "edo": _l("EDO identifier"),
}
CALLS: Mapping[tuple[str, str], Lazy] = {
    ("in", "answered"): _l("Answered call"),
    ("in", "missed"): _l("Missed call"),
    ("out", "answered"): _l("We called"),
    ("out", "missed"): _l("We did not get through"),
}
OUTCOMES: Mapping[str, Lazy] = {
    "solved": _l("Answered at once"),
    "case": _l("Becomes a case"),
    "lead": _l("Wants to buy"),
    "call_back": _l("We call back"),
    "wrong": _l("Wrong number"),
}
TASKS: Mapping[str, Lazy] = {
    "todo": _l("Task"),
    "call_back": _l("Call back"),
    "promise": _l("Promise"),
    "write": _l("Write: could not be reached by telephone"),
}
DEALS: Mapping[str, Lazy] = {
    "lead": _l("New application"),
    "qualified": _l("Qualification"),
    "consulted": _l("Consultation"),
    "offered": _l("Offer"),
    "sent": _l("Contract sent"),
    "signed": _l("Contract signed"),
    "paid": _l("Paid up"),
    "admitted": _l("Admitted"),
    "postponed": _l("Postponed"),
    "lost": _l("Lost"),
}
LOSSES: Mapping[str, Lazy] = {
    "price": _l("Too expensive"),
    "time": _l("The time does not suit"),
    "other_school": _l("Chose another school"),
    "no_answer": _l("Does not answer"),
    "not_ours": _l("We do not teach that"),
    "changed_mind": _l("Changed their mind"),
    "duplicate": _l("A duplicate"),
    "other": _l("Another reason"),
}
TASK_ICONS: Mapping[str, str] = {
    "todo": "list-check",
    "call_back": "phone",
    "promise": "bookmark",
    "write": "message",
}
TASK_RESULTS: Mapping[str, Lazy] = {"reached": _l("reached"), "unreached": _l("not reached in three tries")}
TIMELINE: Mapping[str, Lazy] = {
    "message": _l("Messages"),
    "reply": _l("Our replies"),
    "case": _l("Cases"),
    "call": _l("Calls"),
    "note": _l("Notes"),
    "task": _l("Tasks"),
    "deal": _l("Deals"),
    "consent": _l("Consents"),
    "request": _l("Requests"),
    "contract": _l("Contracts"),
    "document": _l("Documents"),
    "payment": _l("Money"),
    "decision": _l("Decisions"),
    "event": _l("Changes"),
}
TIMELINE_ICONS: Mapping[str, str] = {
    "message": "message-circle", "reply": "send", "case": "inbox", "call": "phone", "note": "note",
    "task": "list-check", "deal": "chart-bar", "consent": "checks", "request": "shield", "event": "history",
    "contract": "file-text", "document": "file-text", "payment": "checklist", "decision": "checks",
}  # fmt: skip
IMPORTS: Mapping[str, Lazy] = {
    "preview": _l("To be checked"),
    "running": _l("Being taken in"),
    "done": _l("Taken in"),
    "undoing": _l("Being taken back"),
    "undone": _l("Taken back"),
}
FIELDS: Mapping[str, Lazy] = {
    "": _l("leave out"),
    "name": _l("Name in one field"),
    "last_name": _l("Surname"),
    "first_name": _l("First name"),
    "middle_name": _l("Middle name"),
    "phone": _l("Phone"),
    "mail": _l("Mail"),
    "messenger": _l("Messenger"),
    "birth_date": _l("Birthday"),
    "note": _l("Note"),
    "origin": _l("Where they came from"),
    "course": _l("Course"),
    "group_name": _l("Group"),
    "curator": _l("Curator"),
    "access_until": _l("Access until"),
    "inn": _l("INN"),
    "external_id": _l("Number in your system"),
}
"""Fields that a column of a file may go to."""
EXPORTS: Mapping[str, Lazy] = {
    "waiting": _l("Waits for the head"),
    "allowed": _l("Being made"),
    "running": _l("Being made"),
    "ready": _l("Ready"),
    "refused": _l("Refused"),
    "gone": _l("The file is gone"),
}
REQUESTS: Mapping[str, Lazy] = {
    "access": _l("What do you hold of me?"),
    "correction": _l("Correct it"),
    "blocking": _l("Block it"),
    "stop": _l("Stop processing"),
    "erasure": _l("Erase it"),
    "withdrawal": _l("I withdraw my consent"),
}
REQUEST_STATES: Mapping[str, Lazy] = {
    "received": _l("Received"),
    "known": _l("The person is known"),
    "work": _l("In work"),
    "prolonged": _l("Prolonged"),
    "answered": _l("Answered"),
    "closed": _l("Closed"),
}
SENSITIVE: Mapping[str, Lazy] = {
    "passport": _l("Passport: series and number"),
    "passport_issued": _l("Issued by, date, code"),
    "snils": _l("SNILS"),
    "registered_at": _l("Registered at"),
    "diploma": _l("Earlier diploma"),
    "bank_account": _l("Account for refunds"),
}
RETENTION: Mapping[str, Lazy] = {
    "authors": _l("Authors of comments after their last message"),
    "calls": _l("Calls of unknown numbers"),
    "imports": _l("Rows refused at import"),
    "raw": _l("Raw items of platforms"),
}

ERRORS: Mapping[str, Lazy] = {
    "author.unknown": _l("There is no such author any more."),
    "call.unknown": _l("There is no such call."),
    "call.kind": _l("Choose what kind of call it was."),
    "call.outcome": _l("Choose what came of the call."),
    "client.birth_date": _l("The birthday is not right."),
    "client.blocked": _l("The card is blocked by a request of the person: it may only be kept."),
    "client.field": _l("This field cannot be changed here."),
    "client.hold": _l("The card is on hold: nothing of it may be erased."),
    "client.inn": _l("The INN has 10 or 12 digits, and these do not add up."),
    "client.kind": _l("Choose whom the card is about."),
    "client.name": _l("Write a name, up to 200 characters."),
    "deal.unknown": _l("There is no such deal."),
    "deal.move": _l("The deal cannot go there from its stage."),
    "deal.stale": _l("A colleague has moved the deal meanwhile. Look at it and press again."),
    "deal.day": _l("Choose a day to come back, within a year."),
    "deal.reason": _l("Say why the deal is lost; for another reason, in words."),
    "client.segment": _l("There is no such segment."),
    "client.stale": _l("A colleague changed the card meanwhile. Look at it and change it again."),
    "client.state": _l("The card is in the archive or became a part of another one."),
    "client.unknown": _l("There is no such card."),
    "consent.purpose": _l("Choose what the consent is to, and how it was given."),
    "consent.text": _l("Put in the text that the person agreed to."),
    "consent.unknown": _l("There is no such consent."),
    "contact.taken": _l("Another card has this contact already."),
    "contact.unknown": _l("There is no such contact any more."),
    "contact.unreadable": _l("«%(contact)s» is neither a phone nor a mail address."),
    "erasure.ground": _l("Say on which ground the data are erased."),
    "export.empty": _l("No card fits: there is nothing to take out."),
    "export.reason": _l("Say why the cards are taken out."),
    "export.state": _l("This can no longer be done with the export."),
    "export.unknown": _l("There is no such export."),
    "identity.basis": _l("Say how we know that it is the same person."),
    "identity.taken": _l("The author is linked to another card. Unlink it there first."),
    "identity.unknown": _l("The author is not linked to this card."),
    "import.empty": _l("There are no rows in the file."),
    "import.mapping": _l("Choose at least a column with a name or a contact."),
    "import.size": _l("The file is too large: at most %(most)s MB."),
    "import.state": _l("This can no longer be done with the import."),
    "import.two": _l("Its contacts stand in two different cards."),
    "import.unknown": _l("There is no such import."),
    "import.unreadable": _l("The file cannot be read: it must be CSV or XLSX."),
    "merge.kind": _l("A person and an organisation cannot become one card."),
    "merge.same": _l("These two are one card already."),
    "merge.state": _l("This merge can no longer be taken back."),
    "merge.unknown": _l("There is no such merge."),
    "privacy.kind": _l("Choose what the person asks for."),
    "privacy.known": _l("First make sure that the person is who they say."),
    "privacy.move": _l("This cannot be done in the present state of the request."),
    "privacy.reason": _l("Say why: the person is told of it."),
    "privacy.unknown": _l("There is no such request."),
    "retention.days": _l("A term is at least %(least)s days."),
    "sensitive.field": _l("There is no such field."),
    "study.course": _l("Write which course."),
    "study.there": _l("This course and group stand in the card already."),
    "study.unknown": _l("There is no such course in the card."),
    "task.due": _l("Choose a time from now on, within a year."),
    "task.state": _l("The task is done already."),
    "task.text": _l("Write what is to be done."),
    "task.unknown": _l("There is no such task."),
    "tie.guardian": _l("A legal representative is a grown-up person."),
    "tie.role": _l("Choose another card and who it is to this one."),
    "tie.there": _l("This stands in the card already."),
    "tie.unknown": _l("There is no such tie any more."),
}

_EVENTS: Mapping[str, Lazy] = {
    "client.created": _l("The card is made"),
    "client.edited": _l("The card is changed"),
    "client.linked": _l("An author is linked"),
    "client.unlinked": _l("An author is unlinked"),
    "client.merged": _l("Another card became a part of it"),
    "client.unmerged": _l("A merge is taken back"),
    "client.study": _l("A course is written down"),
    "client.imported": _l("Changed by an import"),
    "client.archived": _l("Put into the archive"),
    "client.restored": _l("Back from the archive"),
    "client.blocked": _l("Blocked by a request of the person"),
    "client.unblocked": _l("No longer blocked"),
    "client.sensitive_seen": _l("A sensitive field was looked at"),
    "client.sensitive_set": _l("A sensitive field was written"),
    "client.exported": _l("Taken out into a file"),
    "client.tied": _l("Somebody stands beside the client now"),
    "client.untied": _l("Somebody no longer stands beside the client"),
    "client.contact_added": _l("A contact is added"),
    "client.contact_ended": _l("A contact no longer holds"),
}


def event_words(event: Event) -> str:
    """A change of a card in words."""
    code = str(event.data.get("code") or "")
    if event.kind == "client.segment":
        return _("Segment: %(name)s", name=SEGMENTS.get(code, code))
    said = str(_EVENTS.get(event.kind, event.kind))
    if event.kind.startswith("client.sensitive"):
        if code == "document":
            return f"{said}: {DOCUMENTS.get(str(event.data.get('sort')), code)}"
        used = _(", for a paper of a contract") if "contract" in event.data else ""
        return f"{said}: {SENSITIVE.get(code, code)}{used}"
    if event.kind == "client.linked":
        return f"{said}: {BASES.get(code, code)}"
    if event.kind.startswith("client.contact"):
        return f"{said}: {CONTACTS.get(code, code)}"
    return said
