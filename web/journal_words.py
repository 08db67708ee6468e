"""What the journal says of an event: a thing and what became of it, of the parts of its code."""

from collections.abc import Iterator, Mapping

from models import Event
from web.language import Lazy, _, _l

THINGS: Mapping[str, Lazy] = {
    "absence": _l("Absence"), "act": _l("Public act"), "ads": _l("Advertising"),
    "agreement": _l("Agreement of replies"), "answer": _l("Department's answer"), "backup": _l("Backup"),
    "bulk": _l("Bulk action"), "case": _l("Case"), "choices": _l("Own notices"), "client": _l("Client card"),
    "clock": _l("Legal term"), "debt": _l("Debt"), "decision": _l("Decision"), "delivery": _l("Notice"),
    "device": _l("Department's device"), "document": _l("Document"), "duty": _l("Duty"),
    "export": _l("Export of cards"), "fact": _l("Fact"), "import": _l("Import of cards"),
    "journal": _l("Journal"), "link": _l("Link to a question"), "mail": _l("Mail for notices"),
    "messenger": _l("Messenger of a person"), "norm": _l("Norm"), "obligation": _l("Obligation"),
    "order": _l("Order of enrolment or reports"), "organisation": _l("Requisites"),
    "privacy": _l("Personal data"), "register": _l("Register of services"), "reply": _l("Reply of ours"),
    "report": _l("Report"), "rule": _l("Rule"), "saved": _l("Saved reply"), "session": _l("Login of a person"),
    "setting": _l("Settings"), "settings": _l("Settings"), "sign_on": _l("Single sign-on"),
    "source": _l("Place"), "staff": _l("Person"), "termination": _l("Termination"), "terms": _l("Deadlines"),
    "token": _l("Key of the API"), "training": _l("Training of the classifier"),
    "webhook": _l("Outgoing web hook"), "wish": _l("Wish"),
}  # fmt: skip
DEEDS: Mapping[str, Lazy] = {
    "accepted": _l("acceptance"), "active": _l("switching on or off"), "added": _l("addition"),
    "again": _l("another try"), "aged": _l("passage of time"), "allowed": _l("permission"),
    "annulled": _l("annulment"), "applied": _l("application of it"), "archived": _l("putting away"),
    "asked": _l("request"), "begun": _l("beginning"), "bound": _l("binding"),
    "by_hand": _l("publication by a person"), "cancelled": _l("cancellation"), "changed": _l("change"),
    "chosen": _l("choice"), "confirmed": _l("confirmation"), "connected": _l("connection"),
    "created": _l("creation"), "day": _l("setting of a single day"), "dead": _l("giving up"),
    "decided": _l("decision on it"), "defaults": _l("standard values"), "depth": _l("depth of history"),
    "done": _l("completion"), "dropped": _l("removal"), "edited": _l("correction"), "ended": _l("ending"),
    "exported": _l("taking as a file"), "failed": _l("failure"), "forged": _l("sender not proven"),
    "gap": _l("gap found"), "gap_closed": _l("gap closed"), "gathered": _l("gathering"),
    "handed": _l("handing over"), "history": _l("pause of history"), "hurried": _l("hurrying"),
    "imported": _l("intake from a file"), "joined": _l("joining"), "joined_again": _l("joining anew"),
    "late": _l("delay"), "lifted": _l("release"), "link": _l("link given out"), "linked": _l("linking"),
    "locked": _l("locking"), "made": _l("making"), "moved": _l("move"), "offered": _l("offer"),
    "opened": _l("opening"), "parted": _l("parting"), "password": _l("password set"),
    "password_renewed": _l("password renewed"), "pin": _l("code of the device"), "printed": _l("printing"),
    "put": _l("entry"), "ready": _l("readiness"), "received": _l("receipt of it"), "reckoned": _l("reckoning"),
    "recovered": _l("recovery"), "recovery": _l("recovery codes"), "refused": _l("refusal"),
    "reminder": _l("reminder sent"), "removed": _l("taking down"), "replayed": _l("erasure repeated"),
    "restored": _l("restoration"), "retention": _l("end of keeping"), "retried": _l("new try"),
    "returned": _l("return of a version"), "review": _l("looking through"), "revoked": _l("revocation"),
    "saved": _l("saving"), "schedule": _l("working hours set"), "secret": _l("secret renewed"),
    "seeded": _l("first filling"), "seen": _l("proof on the platform"), "sending": _l("on its way"),
    "sensitive_seen": _l("look at closed data"), "sensitive_set": _l("change of closed data"),
    "sent": _l("sending"), "set": _l("appointment"), "settled": _l("settlement"), "signed": _l("signature"),
    "started": _l("start"), "state": _l("switch of state"), "stopped": _l("stop"),
    "superseded": _l("replacement by a newer one"), "switched": _l("switch"), "taken": _l("taking"),
    "taken_back": _l("withdrawal of it"), "told": _l("telling the authors"), "totp": _l("second factor"),
    "unbound": _l("unbinding"), "undone": _l("undoing"), "unknown": _l("outcome unknown"),
    "unlinked": _l("unlinking"), "used": _l("use"), "woken": _l("waking"), "written": _l("writing"),
}  # fmt: skip
KEYS: Mapping[str, Lazy] = {
    "staff": _l("person"), "count": _l("how many"), "case": _l("case"), "state": _l("state"),
    "source": _l("place"), "kind": _l("kind"), "reason": _l("reason"), "number": _l("number"),
    "error": _l("error"), "role": _l("role"), "code": _l("of"), "name": _l("name"), "platform": _l("platform"),
}  # fmt: skip


def said(event: Event) -> str | None:
    """«Фактом: сохранено» of «fact.saved»; None for a code of which a part has no word."""
    thing, _dot, deed = event.kind.partition(".")
    if thing not in THINGS or deed not in DEEDS:
        return None
    return _("%(thing)s: %(deed)s", thing=THINGS[thing], deed=DEEDS[deed])


def details(event: Event, names: Mapping[int, str]) -> Iterator[str]:
    """What is known beside it: codes and numbers, people by their names."""
    data = event.data
    if "before" in data and "after" in data:
        yield _("version %(before)s → %(after)s", before=data["before"], after=data["after"])
    for key, value in data.items():
        if key in ("digest", "before", "after") or (key == "code" and event.kind == "settings.changed"):
            continue
        shown = names.get(value, value) if key == "staff" and isinstance(value, int) else value
        yield f"{KEYS.get(key, key)}: {shown}"
