"""What is found in a text besides its label: signals, language, and the near copies that make one wave."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import cast

from sqlalchemy import Table, bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from classifier import Verdict
from classifier.duplicates import NEAR_BY_KEY, bands, fingerprint, is_near
from models import Case, Message, MessageBand, Signal, utc_now
from services.events import record
from services.rights import DESK

WAVE_WITHIN = timedelta(days=14)
"""Copies that are further apart are no wave."""
MOST_CANDIDATES = 5000


def full_text(message: Message) -> str:
    """What the classifier reads: a letter's subject stands above it."""
    return f"{message.subject}\n{message.text}" if message.subject else message.text


def signals_of(session: Session, message_ids: Sequence[int]) -> dict[int, list[Signal]]:
    """message id → what was proposed or decided of it, in the order it was noticed."""
    found: dict[int, list[Signal]] = {}
    query = select(Signal).where(Signal.message_id.in_(message_ids)).order_by(Signal.id)
    for row in session.scalars(query):
        found.setdefault(row.message_id, []).append(row)
    return found


def standing_signals(session: Session, case_ids: Sequence[int]) -> dict[int, list[Signal]]:
    """case id → the signals of its messages that nobody has said no to."""
    found: dict[int, list[Signal]] = {}
    query = (
        select(Message.case_id, Signal)
        .join(Signal, Signal.message_id == Message.id)
        .where(Message.case_id.in_(case_ids), Signal.state != "no")
        .order_by(Signal.id)
    )
    for case_id, row in session.execute(query):
        found.setdefault(int(case_id or 0), []).append(row)
    return found


def wave_sizes(session: Session, wave_ids: Sequence[int]) -> dict[int, int]:
    """wave → how many open cases stand in it."""
    if not wave_ids:
        return {}
    query = (
        select(Case.wave_id, func.count())
        .where(Case.wave_id.in_(wave_ids), Case.open_key.is_not(None), Case.number.is_not(None))
        .group_by(Case.wave_id)
    )
    return {int(wave_id or 0): count for wave_id, count in session.execute(query)}


def note_findings(
    session: Session,
    messages: Sequence[Message],
    verdicts: Mapping[int, Verdict],
    ready: Callable[[Collection[int]], object],
) -> None:
    """Keeps what the verdicts found; a proposal that an edit made void goes, what a person decided stays.

    ``ready`` is called once, before a case is written: it holds these cases together with all that the caller will
    write, see ``services.leases.hold_cases``.
    """
    _propose(session, messages, verdicts)
    changed = []
    for message in messages:
        text = full_text(message)
        message.language = verdicts[message.id].language
        mark = fingerprint(text)
        if message.fingerprint != mark:
            message.fingerprint = mark
            changed.append(message)
    joined, homes = _join_waves(session, changed) if changed else ({}, {})
    ready({home for message_id in joined if (home := homes.get(message_id))})
    if joined:
        _keep_waves(session, joined, {**homes, **{message.id: message.case_id for message in changed}})
        record(session, "wave.grown", DESK, count=len(joined))


def _propose(session: Session, messages: Sequence[Message], verdicts: Mapping[int, Verdict]) -> None:
    known = signals_of(session, [message.id for message in messages])
    fresh, void = [], []
    for message in messages:
        raised = verdicts[message.id].signals
        there = {row.name: row for row in known.get(message.id, ())}
        void += [row.id for name, row in there.items() if name not in raised and row.state == "proposed"]
        fresh += [
            {
                "message_id": message.id, "name": name, "state": "proposed", "created_at": utc_now(),
                "certain": name in verdicts[message.id].certain,
            }
            for name in raised
            if name not in there
        ]  # fmt: skip
    if void:
        session.execute(delete(Signal).where(Signal.id.in_(void)))
    if fresh:
        session.execute(insert(Signal), fresh)


def _join_waves(
    session: Session, messages: Sequence[Message]
) -> tuple[Mapping[int, int], Mapping[int, int | None]]:
    """Near copies share a wave, named after the first of them: message id → wave for those that come to one, and
    message id → case of the copies that were met."""
    keys = {message.id: bands(full_text(message)) for message in messages}
    session.execute(delete(MessageBand).where(MessageBand.message_id.in_(list(keys))))
    rows = [{"band": key, "message_id": message_id} for message_id, found in keys.items() for key in found]
    if not rows:
        return {}, {}
    session.flush()
    session.execute(insert(MessageBand), rows)
    marks, waves, homes, by_key = _candidates(session, {key for found in keys.values() for key in found})
    joined: dict[int, int] = {}
    for message in sorted(messages, key=lambda row: row.id):
        mark = message.fingerprint or 0
        others = {other for key in keys[message.id] for other in by_key.get(key, ())} - {message.id}
        near = {other for other in others if is_near(mark, marks[other], NEAR_BY_KEY)}
        if near:
            wave = min(joined.get(other) or waves.get(other) or other for other in near | {message.id})
            joined.update({other: wave for other in near | {message.id} if not waves.get(other)})
    return joined, homes


def _keep_waves(session: Session, joined: Mapping[int, int], homes: Mapping[int, int | None]) -> None:
    """Row by row in one statement a table: a flood of copies is as quick as a trickle."""
    session.flush()
    connection = session.connection()
    rows = [
        {"message": message_id, "wave": wave, "home": homes.get(message_id)}
        for message_id, wave in sorted(joined.items())
    ]
    messages, cases = cast(Table, Message.__table__), cast(Table, Case.__table__)
    connection.execute(
        update(messages).where(messages.c.id == bindparam("message")).values(wave_id=bindparam("wave")), rows
    )
    connection.execute(
        update(cases)
        .where(cases.c.id == bindparam("home"), cases.c.first_message_id == bindparam("message"))
        .values(wave_id=bindparam("wave")),
        [row for row in rows if row["home"]] or [{"home": 0, "message": 0, "wave": None}],
    )
    for row in session.identity_map.values():
        if isinstance(row, Message) and row.id in joined:
            set_committed_value(row, "wave_id", joined[row.id])


def _candidates(
    session: Session, keys: set[int]
) -> tuple[dict[int, int], dict[int, int | None], dict[int, int | None], dict[int, list[int]]]:
    """Fingerprints, waves and cases of the messages that share a key, and key → messages."""
    query = (
        select(MessageBand.band, Message.id, Message.fingerprint, Message.wave_id, Message.case_id)
        .join(Message, Message.id == MessageBand.message_id)
        .where(MessageBand.band.in_(keys), Message.ingested_at > utc_now() - WAVE_WITHIN)
        .order_by(MessageBand.message_id.desc())
        .limit(MOST_CANDIDATES)
    )
    marks: dict[int, int] = {}
    waves: dict[int, int | None] = {}
    homes: dict[int, int | None] = {}
    by_key: dict[int, list[int]] = {}
    for key, message_id, mark, wave, home in session.execute(query):
        marks[message_id], waves[message_id], homes[message_id] = int(mark or 0), wave, home
        by_key.setdefault(key, []).append(message_id)
    return marks, waves, homes, by_key
