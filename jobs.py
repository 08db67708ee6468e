"""Jobs by name: each opens what it needs of the desk and calls one service; scheduler and worker read this list."""

import threading
from collections.abc import Callable
from datetime import date
from zoneinfo import ZoneInfo

import structlog

from bootstrap import Desk, backup_folder, backup_rule
from models import utc_now
from services.access import run_renew, run_warn_of_ends
from services.again import is_undone, tell
from services.audit import draw_samples
from services.broadcasts.airing import run_ends
from services.broadcasts.chats import run_chats, run_quicken
from services.broadcasts.examples import run_examples
from services.broadcasts.lifting import run_lift
from services.broadcasts.looks import run_looks
from services.broadcasts.schedule import run_notices
from services.broadcasts.tapes import run_tapes
from services.broadcasts.wrapping import run_wraps
from services.bulks import run_bulk
from services.choices import run_pass
from services.contracts.acts import run_contract_day
from services.contracts.amendments import run_amendments
from services.contracts.examples import seed_contracts
from services.contracts.legal import seed_norms
from services.crisis import run_ring
from services.crm.exports import run_exports
from services.crm.imports import run_imports
from services.crm.retention import run_retention
from services.crm.segments import run_segments
from services.crm.tasks import run_remind
from services.deliveries import run_deliveries
from services.digests import run_digests
from services.documents.templates import run_seed
from services.entrance import run_asked
from services.incidents.gathering import run_incidents
from services.intake import run_collect
from services.journal import run_seal
from services.labelling import run_labelling
from services.learning import run_learning
from services.money.obligations import run_obligations
from services.money.receivables import run_receivables
from services.nightly import run_nightly
from services.notices import run_warn
from services.outreach import run_forget_unused
from services.raws import run_trim
from services.recount import run_recount
from services.relabel import run_relabel
from services.reply_files import run_clear_files
from services.report_examples import run_report_examples
from services.reports.upkeep import run_rebuild
from services.reports.views import run_orders
from services.review_examples import run_review_examples
from services.reviews import run_draw
from services.room import is_disk_full
from services.satisfaction import run_address
from services.search_index import run_index
from services.silence import run_warn_of_silence
from services.snoozes import run_wake
from services.sources import due_sources
from services.visits import run_visits
from services.watch import run_watch
from services.webhook_calls import run_forget, run_webhooks
from services.workload import run_absences

log = structlog.get_logger()


READERS = 4
"""So many read at once in a process: the jobs of a worker must not all wait for platforms that do not answer."""
LOOKERS = 2
"""And so many look out for broadcasts: few places have any."""
TRIES = 3
_readers, _patient = threading.BoundedSemaphore(READERS), threading.Lock()
_lookers, _patient_looker = threading.BoundedSemaphore(LOOKERS), threading.Lock()


def _side_by_side(room: threading.BoundedSemaphore, patient: threading.Lock, work: Callable[[bool], None]) -> None:
    """Does ``work`` for places that are well, as often at once as there is ``room``, then for those that failed the
    last time: for these one waits, however many they are, so that the others are never kept waiting.
    """
    if not room.acquire(blocking=False):
        return
    try:
        work(False)
        if patient.acquire(blocking=False):
            try:
                work(True)
            finally:
                patient.release()
    finally:
        room.release()


def collect(desk: Desk) -> None:
    """Reads every place that is due; several may run at once, a lease keeps two off one place."""
    _side_by_side(_readers, _patient, lambda failing: _read_due(desk, failing=failing))


def _read_due(desk: Desk, *, failing: bool) -> None:
    with desk.database.read.begin() as session:
        due = due_sources(session, failing=failing)
    for source_id in due:
        try:
            changed = run_collect(desk.database, source_id, desk.open_channel, desk.name)
        except Exception as error:
            tell(error, "collect.failed", source=source_id)
            continue
        if changed:
            label(desk)
            desk.bell.ring()


def label(desk: Desk) -> None:
    """Labels what waits; without a classifier old messages go to people as they are."""
    desk.labeller.refresh()
    done = run_labelling(desk.database, desk.labeller.classifier, gate_open=desk.is_gate_open())
    if done:
        run_incidents(desk.database)
    if done + run_lift(desk.database, desk.labeller.classifier):
        desk.bell.ring()


def incidents(desk: Desk) -> None:
    """Puts cases of one trouble together, also those whose kind or theme a person has said."""
    if run_incidents(desk.database):
        desk.bell.ring()


def air(desk: Desk) -> None:
    """Reads the chats that are due, says what recordings have, and looks at what was said."""
    said = run_tapes(desk.database)
    if said:
        desk.bell.ring()
    if said + run_chats(desk.database, desk.open_channel, desk.name, desk.bell.ring):
        run_lift(desk.database, desk.labeller.classifier)
        desk.bell.ring()


def broadcasts(desk: Desk) -> None:
    """Tells the watchers of broadcasts, ends what is over and carries over what is left of it."""
    if desk.is_training and desk.labeller.classifier is not None:
        run_examples(desk.database)
    run_quicken(desk.database)
    changed = run_notices(desk.database) + run_ends(desk.database) + run_wraps(desk.database)
    changed += run_visits(desk.database)
    if changed:
        desk.bell.ring()


def looks(desk: Desk) -> None:
    """Looks out for broadcasts; several may run at once, a lease keeps two off one place."""
    _side_by_side(_lookers, _patient_looker, lambda failing: _look_out(desk, failing=failing))


def _look_out(desk: Desk, *, failing: bool) -> None:
    seconds = 10 if desk.is_training else None
    if run_looks(desk.database, desk.open_channel, desk.name, seconds, failing=failing):
        desk.bell.ring()


def send(desk: Desk) -> None:
    """Starts sending what is due and settling what is unknown, each place in a lane of its own."""
    desk.lanes.start()


def index(desk: Desk) -> None:
    """Completes the index of search: after an upgrade or a restore, and the words in use."""
    run_index(desk.database)


def wake(desk: Desk) -> None:
    """Brings back what was put off until now."""
    if run_wake(desk.database):
        desk.bell.ring()


def bulk(desk: Desk) -> None:
    """Does what people have begun upon many cases."""
    if run_bulk(desk.database):
        desk.bell.ring()


def warn(desk: Desk) -> None:
    """Tells people of deadlines that come near or are over."""
    if run_warn(desk.database):
        desk.bell.ring()


def renew(desk: Desk) -> None:
    """Renews tokens that end within minutes; tells of consents that end within days, and of silent places."""
    run_renew(desk.database, desk.keyring, desk.open_channel)
    if run_warn_of_ends(desk.database) + run_warn_of_silence(desk.database):
        desk.bell.ring()


def trim(desk: Desk) -> None:
    """Lets go of what platforms gave, once it is understood and old, and of the old log of web hooks."""
    raws = desk.config.raws
    run_trim(
        desk.database, days=raws.days, quarantine_days=raws.quarantine_days,
        most_bytes=raws.most_megabytes * 2**20,
    )  # fmt: skip
    run_forget_unused(desk.database)
    run_forget(desk.database)


def watch(desk: Desk) -> None:
    """Tells people of replies that do not get out."""
    if run_watch(desk.database):
        desk.bell.ring()


def ring(desk: Desk) -> None:
    """Calls the next person to a threat to life."""
    if run_ring(desk.database):
        desk.bell.ring()


def learn(desk: Desk) -> None:
    """Trains the classifier anew when people have taught it enough, or at night; draws texts for checking."""
    if desk.labeller.classifier is None:
        return
    with desk.database.write.begin() as session:
        draw_samples(session, desk.labeller.classifier.gate)
    if run_learning(desk.database, desk.labeller, desk.config.desk.time_zone):
        desk.bell.ring()


def reviews(desk: Desk) -> None:
    """Draws answers of the last week for the head to read; keeps the links under answers at the desk's address."""
    if desk.is_training:
        run_review_examples(desk.database)
        run_report_examples(desk.database, desk.month_files)
    made = run_draw(desk.database)
    if run_address(desk.database, desk.address) or made:
        desk.bell.ring()


def relabel(desk: Desk) -> None:
    """Asks the present classifier of what an older one has labelled."""
    if run_relabel(desk.database, desk.labeller.classifier):
        desk.bell.ring()


def deliver(desk: Desk) -> None:
    """Sends the desk's own letters to its people, notices among them where they chose so, and links to whoever
    asked for one at the door."""
    run_asked(desk.database)
    run_pass(desk.database)
    if run_deliveries(desk.database, desk.open_sender, desk.letter_writer()):
        desk.bell.ring()


def webhooks(desk: Desk) -> None:
    """Tells addresses outside what happened."""
    run_webhooks(desk.database, desk.keyring, desk.post_outside)


def absences(desk: Desk) -> None:
    """Hands over the cases of whoever is away from today."""
    if run_absences(desk.database):
        desk.bell.ring()


def seal(desk: Desk) -> None:
    """Seals the newest events."""
    run_seal(desk.database)


def recount(desk: Desk) -> None:
    """Reckons running clocks anew, where somebody asked for it."""
    if run_recount(desk.database):
        desk.bell.ring()


def remind(desk: Desk) -> None:
    """Tells people of tasks that are due."""
    if run_remind(desk.database):
        desk.bell.ring()


def transfer(desk: Desk) -> None:
    """Takes files of cards in, takes them back, makes files of cards."""
    if run_imports(desk.database) + run_exports(desk.database):
        desk.bell.ring()


def retention(desk: Desk) -> None:
    """Clears away files of drafts that were never sent; puts out what was kept long enough, once the head has
    switched it on."""
    run_clear_files(desk.database)
    run_retention(desk.database)


def segments(desk: Desk) -> None:
    """Brings clients' segments up to the day."""
    run_segments(desk.database)


def letters(desk: Desk) -> None:
    """Puts ordered reports and the digests of departments on their way."""
    zone = desk.config.desk.time_zone
    if run_orders(desk.database, zone) + run_digests(desk.database, zone):
        deliver(desk)


def facts(desk: Desk) -> None:
    """Makes the facts of reports anew, after an upgrade or where somebody asked for it."""
    if run_rebuild(desk.database):
        desk.bell.ring()


def papers(desk: Desk) -> None:
    """Norms and starter templates that are missing; on the training desk also invented contracts."""
    made = run_seed(desk.database)
    with desk.database.write.begin() as session:
        seed_norms(session)
        if desk.is_training:
            seed_contracts(session, desk.keyring, _today(desk))
    if made:
        desk.bell.ring()


def contracts(desk: Desk) -> None:
    """What a new day changes: contracts and amendments that begin or lapse, debts, obligations."""
    day = _today(desk)
    changed = run_contract_day(desk.database, day) + run_amendments(desk.database, desk.keyring, day)
    changed += run_obligations(desk.database, day) + run_receivables(desk.database, day)
    if changed:
        desk.bell.ring()


def backup(desk: Desk) -> None:
    """Makes the backup of the night; the training desk keeps nothing that would be missed."""
    if desk.is_training:
        return
    rule = backup_rule(desk.config.backup)
    if run_nightly(desk.database, backup_folder(desk.config, desk.mode), rule, desk.config.desk.time_zone):
        desk.bell.ring()


def _today(desk: Desk) -> date:
    return utc_now().astimezone(ZoneInfo(desk.config.desk.time_zone)).date()


JOBS: dict[str, Callable[[Desk], None]] = {
    job.__name__: job
    for job in (
        collect,
        label,
        air,
        broadcasts,
        looks,
        send,
        index,
        wake,
        bulk,
        incidents,
        warn,
        watch,
        renew,
        trim,
        ring,
        learn,
        reviews,
        relabel,
        deliver,
        webhooks,
        absences,
        seal,
        recount,
        remind,
        transfer,
        retention,
        segments,
        letters,
        facts,
        papers,
        contracts,
        backup,
    )
}


def run_job(desk: Desk, name: str) -> None:
    """Does one job; a mistake of ours is written down and stops neither the clock nor a worker.

    Without room on the disk nothing is done: what cannot be written down must not be sent or read either. Which was
    undone for the sake of another, and found what is due by itself, begins anew at once.
    """
    if desk.room.is_full():
        return
    for left in reversed(range(TRIES)):
        try:
            return JOBS[name](desk)
        except Exception as error:
            if is_disk_full(error):
                desk.room.note_full()
                log.warning("disk.full", job=name)
            else:
                tell(error, "job.failed", job=name)
            if not (left and is_undone(error)):
                return None
