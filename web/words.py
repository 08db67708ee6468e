"""Words for people: one table from every code that services and tables speak to what a screen says."""

from collections.abc import Mapping

from models import Department
from services.errors import DeskError, Forbidden, NotFound, ReadOnly, Stale
from web.contract_words import CONTRACT_STATES as CONTRACT_STATES
from web.contract_words import FIELDS, GROUPS
from web.inquiry_words import INQUIRY_STATES as INQUIRY_STATES
from web.language import Lazy, _, _l, is_russian
from web.notice_words import NOTICES as NOTICE_NAMES
from web.refusals import ERRORS as REFUSALS
from web.setting_refusals import NAMING

LABELS: Mapping[str, Lazy] = {
    "question": _l("Question"),
    "complaint": _l("Complaint"),
    "wish": _l("Wish"),
    "praise": _l("Praise"),
    "spam": _l("Spam"),
    "other": _l("Other"),
}
"""The kinds («Вид») in the order of menus."""

STAGES: Mapping[str, Lazy] = {
    "arriving": _l("Arriving"),
    "new": _l("New case"),
    "work": _l("In work"),
    "wait": _l("Waiting"),
    "later": _l("Snoozed"),
    "closed": _l("Closed"),
}
"""The four words that people see of a case, and the one before it has a number."""

STATES: Mapping[str, Lazy] = {
    "new": _l("New case"),
    "triage": _l("New case"),
    "work": _l("In work"),
    "approval": _l("In work"),
    "department": _l("Waiting for a department"),
    "author": _l("Waiting for the author"),
    "snoozed": _l("Snoozed"),
    "solved": _l("Closed: answered"),
    "closed": _l("Closed"),
    "spam": _l("Closed: spam"),
    "no_answer": _l("Closed without an answer"),
    "merged": _l("Joined to another case"),
}

CLOSE_REASONS: Mapping[str, Lazy] = {
    "no_answer_needed": _l("No answer needed"),
    "answered_in_thread": _l("Already answered in the thread"),
    "answered": _l("Answered elsewhere"),
    "duplicate": _l("Duplicate"),
    "no_reply": _l("The author does not reply"),
    "spam": _l("Spam"),
    "other": _l("Another reason"),
}

ABSENCES: Mapping[str, Lazy] = {
    "vacation": _l("leave"),
    "illness": _l("illness"),
    "trip": _l("business trip"),
    "other": _l("away"),
}

WEEKDAYS: tuple[Lazy, ...] = (_l("Mo"), _l("Tu"), _l("We"), _l("Th"), _l("Fr"), _l("Sa"), _l("Su"))

LIFTS: Mapping[str, Lazy] = {
    "answer": _l("An answer came"),
    "declined": _l("Not their question"),
    "clarify": _l("The department asks back"),
    "failed": _l("Could not be sent"),
    "unknown": _l("Unclear whether it was published"),
    "snooze": _l("The time has come"),
    "approval": _l("Waits for agreement"),
    "rejected": _l("Sent back to be done better"),
}
"""Why a case stands out; «message» needs no words."""

ACT_STATES: Mapping[str, Lazy] = {
    "approval": _l("Waits for agreement"),
    "held": _l("Being sent"),
    "queued": _l("Being sent"),
    "sending": _l("Being sent"),
    "retry": _l("Not sent yet, will be tried again"),
    "unknown": _l("Unclear whether it was published"),
    "review": _l("Unclear whether it was published"),
    "accepted": _l("Taken by the platform"),
    "seen": _l("Visible on the platform"),
    "removed": _l("Was published, removed since"),
    "dead": _l("Could not be sent"),
    "cancelled": _l("Not sent: taken back"),
}
"""How far an act on a platform is proven."""

ACT_TONES: Mapping[str, str] = {
    "approval": "warn",
    "held": "quiet", "queued": "quiet", "sending": "quiet", "retry": "warn", "unknown": "warn", "review": "warn",
    "accepted": "good", "seen": "good", "removed": "warn", "dead": "bad", "cancelled": "quiet",
}  # fmt: skip

ACT_KINDS: Mapping[str, Lazy] = {
    "reply": _l("Reply"),
    "message": _l("Message"),
    "edit": _l("Edit"),
    "delete": _l("Delete"),
    "hide": _l("Hide"),
    "publish": _l("Publish"),
    "spam": _l("To spam"),
    "ban": _l("Ban the author"),
    "like": _l("Like"),
}

ROUTE_STATES: Mapping[str, Lazy] = {
    "sent": _l("Asked"),
    "opened": _l("Seen by the department"),
    "clarify": _l("The department asks back"),
    "answered": _l("Answered"),
    "accepted": _l("Answer taken"),
    "declined": _l("Not their question"),
    "recalled": _l("Question taken back"),
}

LINT: Mapping[str, Lazy] = {
    "personal": _l("Somebody's personal data in public"),
    "banned": _l("A link to a forbidden site"),
    "empty": _l("An unfilled placeholder"),
    "asked": _l("The client gave it already"),
    "price": _l("A price that the facts do not know"),
    "promo": _l("Advertising words where they are denied"),
    "promise": _l("A promise of a result"),
    "heals": _l("Words of healing"),
    "competitor": _l("A competitor's name"),
    "refund": _l("Words that limit the refund"),
    "latin": _l("Foreign words"),
    "rude": _l("It may sound rude"),
    "loud": _l("Capitals and exclamation marks"),
}
"""What each rule of the linter is about."""

CHANNEL_ERRORS: Mapping[str, Lazy] = {
    "network": _l("No connection to the platform"),
    "server": _l("The platform is out of order"),
    "rate": _l("The platform asks to slow down"),
    "quota": _l("The platform's daily limit is spent"),
    "share": _l("What is left of the day's limit is kept for single answers"),
    "auth": _l("The platform does not accept the key"),
    "rights": _l("Our account may not do this there"),
    "gone": _l("The message is not there any more"),
    "closed": _l("Comments are closed there"),
    "invalid": _l("The platform refuses this text"),
    "captcha": _l("The platform asks for a human being"),
    "conflict": _l("Another program reads with the same key"),
    "unsupported": _l("The platform cannot do this"),
    "address": _l("The address is not allowed"),
    "settings": _l("The settings of the place are wrong"),
    "undeclared": _l("No longer declared in config.yaml"),
    "absent": _l("It is not on the platform"),
    "lease": _l("The sending was interrupted"),
}

PLATFORMS: Mapping[str, str] = {
    "youtube": "YouTube", "vk": "VK", "telegram": "Telegram", "wordpress": "WordPress", "isso": "Isso",
    "feed": "RSS", "max": "MAX", "ok": "OK", "getcourse": "GetCourse",
}  # fmt: skip
OWN_NAMES: Mapping[str, Lazy] = {
    "mail": _l("Mail"),
    "form": _l("Feedback form"),
    "calls": _l("Calls"),
    "manual": _l("By hand"),
    "room": _l("Webinar room"),
}
"""Platforms that are named by a word and not by a brand."""
SITES = frozenset({"feed", "isso", "wordpress"})
"""Platforms whose places are somebody's own sites."""

PUBLICATIONS: Mapping[str, Lazy] = {
    "video": _l("Video"),
    "post": _l("Post"),
    "photo": _l("Photo"),
    "article": _l("Article"),
    "dialogue": _l("Dialogue"),
    "letter": _l("Letter"),
    "topic": _l("Topic"),
}

MESSAGE_STATES: Mapping[str, Lazy] = {
    "held": _l("held for moderation"),
    "hidden": _l("hidden"),
    "spam": _l("in spam"),
    "deleted": _l("deleted"),
}

FILES: Mapping[str, Lazy] = {
    "photo": _l("Photo"),
    "video": _l("Video"),
    "audio": _l("Audio"),
    "voice": _l("Voice message"),
    "sticker": _l("Sticker"),
    "document": _l("Document"),
    "link": _l("Link"),
}
"""Kinds of attachments, shown where a file has no name."""

ROLES: Mapping[str, Lazy] = {
    "smm": _l("SMM specialist"),
    "client_manager": _l("Client manager"),
    "sales": _l("Sales"),
    "manager": _l("Answers for a department"),
    "head": _l("Head"),
    "director": _l("Director"),
    "privacy": _l("Personal data officer"),
    "administrator": _l("Administrator"),
    "observer": _l("Observer"),
}

ERRORS: Mapping[str, Lazy] = {
    **REFUSALS,
    "date.invalid": _l("This is no date."),
    "fact.code": _l("A code consists of letters, digits and hyphens."),
    "fact.taken": _l("There is a fact with this code already."),
    "fact.unknown": _l("There is no such fact any more."),
    "lint.unknown": _l("There is no such rule."),
    "agreement.minutes": _l("Give the time in minutes, at most a day."),
    "agreement.row": _l("A row of the table names a kind, a theme or a place that there is not."),
    "reply.no_private": _l("There is no private conversation with the author: they have not written to us."),
    "reply.time": _l("Choose a time from now on, at most %(days)s days ahead."),
    "saved.scope": _l("Choose for whom the text is."),
    "saved.unknown": _l("There is no such saved reply."),
    "text.lint": _l("The check stopped the reply: correct the text, or say under it why it may stand."),
    "forbidden": _l("Your role does not allow this. Ask the head or the administrator."),
    "act.unknown": _l("There is no such act any more."),
    "act.state": _l("This can no longer be done with it: the state has changed. Look at the case again."),
    "hook.unknown": _l("There is no such address."),
    "hook.paused": _l("The place is paused."),
    "audit.unknown": _l("There is no such text to be checked any more."),
    "training.running": _l("A training is under way already."),
    "training.unknown": _l("There is no such version any more."),
    "bulk.act": _l("This cannot be done with many cases at once."),
    "bulk.size": _l("Choose from one to %(most)s cases."),
    "bulk.state": _l("This was taken back already, or is still being done."),
    "bulk.unknown": _l("There is no such act any more."),
    "case.grave": _l("This is never closed as spam or without an answer."),
    "case.unknown": _l("There is no such case."),
    "case.stale": _l("Somebody changed the case meanwhile. Your text is kept: look and send again."),
    "case.has_open": _l("The author already has an open case on this matter."),
    "case.move": _l("This cannot be done in the present state of the case."),
    "case.open_routes": _l("A department still owes an answer. Take the question back or wait for it."),
    "case.reason": _l("Choose why the case is closed."),
    "department.unknown": _l("Choose a department."),
    "department.same": _l("It is already with this department: choose another, or say why it is not yours."),
    "email.invalid": _l("This does not look like a mail address."),
    "email.taken": _l("Somebody with this mail address is already here."),
    "file.type": _l("Such a file is not sent: photos, video, audio, PDF, office files and plain text are."),
    "file.none": _l("No file goes with a reply here."),
    "file.kind": _l("This platform does not take files of this kind."),
    "file.fixed": _l("A reply with files cannot be edited on this platform."),
    "file.form": _l("Only photos, screenshots, PDF, office files and voice messages can be added."),
    "file.large": _l("A file may have %(most)s MB at most."),
    "file.many": _l("At most %(most)s files stand beside an answer."),
    "file.total": _l("The files are too large together: send fewer at once."),
    "file.unknown": _l("There is no such file any more."),
    "first.taken": _l("Somebody is already here: log in."),
    "kinds.row": _l("The table of kinds is wrong in row %(text)s."),
    "label.unknown": _l("There is no such kind."),
    "duty.nobody": _l("Choose at least one person."),
    "absence.days": _l("These days are none: the last one comes first, or they are too far away."),
    "absence.twice": _l("%(name)s is away on some of these days already."),
    "absence.deputy": _l("Choose somebody else to stand in."),
    "absence.deputy_away": _l("%(name)s is away then too: choose somebody else to stand in."),
    "absence.unknown": _l("There is no such line any more."),
    "staff.last_desk": _l("Nobody could answer in the inbox any more: give somebody that role first."),
    "duty.theme": _l("There is no such theme."),
    "staff.last": _l("Nobody could change people and settings any more: name another administrator first."),
    "totp.wrong": _l("The code is not right: check the clock of the phone and enter the newest one."),
    "rule.condition": _l("A condition of the rule is not right."),
    "rule.empty": _l("Name at least one condition: a rule without any would hold for everything."),
    "rule.no_act": _l("Say what the rule is to do."),
    "rule.unknown": _l("There is no such rule any more."),
    "transfer.form": _l("This is no file of settings of Otklik, or it is damaged."),
    "transfer.name": _l("The file names «%(word)s», which is not here: add it first or correct the file."),
    "delivery.unknown": _l("There is no such letter."),
    "link.nobody": _l("You do not answer for a department any more. Ask the head."),
    "link.often": _l("Too often. Wait an hour, the last link still works."),
    "link.spent": _l("This link was opened already, or is too old."),
    "link.unknown": _l("There is no such link."),
    "mail.settings": _l(
        "The mail server cannot be used like this: check the address, the server and the password."
    ),
    "mail.unknown": _l("There is no such mailbox."),
    "pin.form": _l("A PIN has four to eight digits."),
    "session.unknown": _l("There is no such browser any more."),
    "link.invalid": _l("This does not look like the address of a page."),
    "message.unknown": _l("There is no such message any more."),
    "journal.group": _l("There is no such part of the journal."),
    "message.deleted": _l("The author deleted the comment: there is nothing to reply under."),
    "name.empty": _l("Enter a name."),
    "page.key": _l("This page of the list is not there any more. Open the list anew."),
    "password.length": _l("A password has from %(least)s to %(most)s characters."),
    "password.wrong": _l("The present password is not right."),
    "password.differ": _l("The two new passwords differ."),
    "role.unknown": _l("Choose a role."),
    "order.when": _l("Choose how often and at which hour."),
    "snapshot.early": _l("The month is not over yet."),
    "snapshot.unknown": _l("There is no such month."),
    "wish.answer": _l("Decide first and write what everyone is told."),
    "wish.state": _l("Choose what was decided."),
    "wish.told": _l("Everyone who asked was told already."),
    "wish.unknown": _l("There is no such wish."),
    "verdict.outcome": _l("Choose what was found."),
    "report.unknown": _l("There is no such report."),
    "route.unknown": _l("There is no such question."),
    "route.move": _l("This can no longer be done with the question: its state has changed."),
    "route.returns": _l("The answer was returned %(limit)s times already. Now the head decides."),
    "route.stale": _l("Somebody answered meanwhile. Look again."),
    "notice.unknown": _l("There is no such notice."),
    "terms.hour": _l("«%(text)s» is no time of day. Write it as 17:30."),
    "terms.day": _l("«%(text)s» is no day. Write it as 31.12.2026."),
    "terms.minutes": _l("A term is at least a minute and at most %(most)s hours."),
    "terms.preset": _l("There are no such terms."),
    "snooze.time": _l("Choose a time within a year from now."),
    "source.unknown": _l("There is no such place."),
    "source.cannot": _l("The platform cannot do this."),
    "source.depth": _l("There is no such depth of history."),
    "source.declared": _l("The place is declared in config.yaml and is changed there."),
    "source.known": _l("This place is watched already."),
    "access.needs": _l("Fill in before connecting:"),
    "access.state": _l("This way back is over: press «Connect» again."),
    "access.denied": _l("The platform was not allowed to give access: nothing has changed."),
    "source.by_hand": _l("This place is kept by hand: publish the answer there and mark it here."),
    "source.can_send": _l("The desk sends there by itself: press «Send»."),
    "source.not_by_hand": _l("This place is read by the desk: nothing is pasted into it."),
    "paste.link": _l("A link begins with https://."),
    "source.no_reply": _l("One cannot reply on this platform from here."),
    "source.paused": _l("The place is paused: resume it first."),
    "source.platform": _l("There is no such platform."),
    "source.secret_again": _l("The address has changed: enter passwords and keys anew, lest they go astray."),
    "source.settings": _l("Some settings are not right."),
    "source.state": _l("There is no such state of a place."),
    "staff.unknown": _l("There is no such person."),
    "staff.own_password": _l("Change your own password in the menu of your name."),
    "staff.self_role": _l("One cannot take the administrator's role from oneself."),
    "staff.self": _l("One cannot switch oneself off."),
    "text.empty": _l("Write something first."),
    "text.long": _l("The text has %(length)s characters, the platform takes %(limit)s."),
    "database.undone": _l("Somebody changed the same at this moment. Nothing was done yet: press once more."),
    "database.away": _l("The database does not answer at this moment. Wait a minute and try again."),
    "disk.full": _l("The disk is full: the desk only shows what it has. It goes on by itself once there is room."),
    "terms.hours": _l("The working day ends later than it begins."),
    "theme.unknown": _l("Choose themes of the list, each once."),
    "tag.many": _l("There are %(most)s marks already: take one off first."),
    "view.many": _l("There are %(most)s views of yours already: drop one first."),
    "view.unknown": _l("There is no such view any more."),
    "csrf": _l("The page is too old. Load it anew and repeat."),
    "not_found": _l("There is no such page."),
    "unexpected": _l("Something went wrong on our side. It is written down; try again."),
}
"""Every code that a service raises; a test compares."""

STATUS = ((ReadOnly, 503), (Forbidden, 403), (NotFound, 404), (Stale, 409), (DeskError, 422))


def explain(error: DeskError) -> str:
    """What a person reads of a refusal."""
    known = ERRORS.get(error.code, ERRORS["unexpected"])
    blanks = dict.fromkeys(("length", "limit", "least", "most", "text", "contact", "what", "word", "name"), "")
    return str(known) % {**blanks, **_readable(error.data)}


def _readable(data: Mapping[str, object]) -> dict[str, object]:
    """Names of fields as people call them, in one line."""
    said = dict(data)
    for key, name in (("fields", field_name), ("settings", lambda code: str(NAMING[code]))):
        if isinstance(data.get(key), list):
            said[key] = ", ".join(name(str(one)) for one in data[key])  # type: ignore[attr-defined]
    return said


def field_name(name: str) -> str:
    """«client.phone» → «Клиент: телефон»."""
    group, _dot, field = name.partition(".")
    known = FIELDS.get(field.partition(".")[0])
    return f"{GROUPS.get(group, group)}: {known if known is not None else field}"


def status_of(error: DeskError) -> int:
    """The HTTP status that fits."""
    return next(status for kind, status in STATUS if isinstance(error, kind))


def platform_name(platform: str) -> str:
    """The platform as people call it."""
    named = OWN_NAMES.get(platform)
    return str(named) if named is not None else PLATFORMS.get(platform, platform)


def open_there(platform: str) -> str:
    """On the button of a case that is answered where it stands."""
    if platform in SITES or platform not in PLATFORMS:
        return _("Open on the site")
    return _("Open in %(platform)s", platform=platform_name(platform))


def department_name(unit: Department) -> str:
    """The department in the language of who looks."""
    return unit.name if is_russian() or not unit.name_en else unit.name_en


def file_kind(kind: str) -> str:
    return str(FILES.get(kind, kind))


def label_name(label: str | None, sure: bool = True) -> str:
    """The kind, or «Вид не определён»."""
    known = LABELS.get(label or "") if sure else None
    return str(known) if known is not None else _("Kind not known")


CLOCKS: Mapping[str, Lazy] = {
    "crisis": _l("Threat to life"),
    "first": _l("the first response"),
    "resolution": _l("the resolution"),
    "department": _l("the department's answer"),
    "accept": _l("the department's look at the question"),
    "legal": _l("the term by law"),
    "promise": _l("the promised answer"),
    "update": _l("the next word to people about the incident"),
    "hurry": _l("the head asks to hurry"),
}


NOTICES: Mapping[str, Lazy] = {
    **CLOCKS,
    "task.due": _l("A task is due today"),
    "task.late": _l("A task is late"),
    "rule": _l("A rule calls you"),
    "note.mention": _l("You are called in a note"),
    "case.followed": _l("News in a case that you follow"),
    "backup.late": _l("The last good backup is older than 26 hours"),
    **NOTICE_NAMES,
    "source.consent": _l("The access to a place ends: press «Connect again»"),
    "source.silent": _l("A place is not read: nothing comes from it"),
    "act.doubt": _l("A reply needs a decision"),
    "act.late": _l("A reply waits too long"),
    "act.unsettled": _l("A reply has not got out for two hours"),
    "act.agree": _l("A reply waits for agreement"),
    "act.deputy": _l("Nobody has agreed to a reply: it is yours to decide"),
}


def notice_title(kind: str) -> Lazy:
    """A kind of notice: of an act by its whole name, of a clock by the clock's."""
    return NOTICES.get(kind) or NOTICES[kind.partition(".")[0]]


TERM_LINES: Mapping[str, Lazy] = {
    "question": _l("Question"),
    "complaint": _l("Complaint"),
    "lead": _l("Application"),
    "private": _l("Private message"),
    "technical": _l("Technical"),
    "wish": _l("Wish"),
}
CALENDARS: Mapping[str, Lazy] = {
    "desk": _l("working hours"),
    "duty": _l("duty hours, every day"),
    "always": _l("around the clock"),
}
PRESETS: Mapping[str, Lazy] = {"small": _l("A small school"), "regulation": _l("By the Regulation")}
DAYS: Mapping[str, Lazy] = {"off": _l("day off"), "work": _l("works"), "short": _l("an hour shorter")}

THEMES: Mapping[str, Lazy] = {
    "": _l("Everything else"),
    "application": _l("Application"),
    "new_product": _l("Wish for something new"),
    "competitor": _l("Competitors"),
    "automatic_charge": _l("Automatic charge"),
    "refund": _l("Refund"),
    "installments": _l("Instalments"),
    "payment": _l("Payment"),
    "contract_sum": _l("Sum of the contract"),
    "personal_data": _l("Personal data"),
    "advertising": _l("Advertising"),
    "education_documents": _l("Documents of education"),
    "document_request": _l("Request for a document"),
    "contract_form": _l("Form of the contract"),
    "homework": _l("Homework"),
    "curator": _l("Curator"),
    "schedule": _l("Schedule"),
    "staff": _l("About a colleague"),
    "access": _l("Access"),
    "video": _l("Video and broadcasts"),
    "app": _l("App"),
    "site": _l("Site"),
    "price": _l("Price"),
    "learning": _l("Learning"),
}
"""Themes that the classifier tells; the empty one stands for whatever no cell names."""
