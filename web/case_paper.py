"""One case as one PDF: what was written with its versions, who did what and when, clocks, decision, proof."""

import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, send_file
from sqlalchemy.orm import Session

from models import Act, Case, CaseFact, Clock, Reply, Staff, TextVersion, utc_now
from services.approval import decided_in
from services.by_hand import BY_HAND
from services.cases import note_printed
from services.contracts.decisions import Listed, decisions_of_case
from services.documents.sheets import Block, draw_sheet, heading, quote, table, text
from services.inbox import Entry
from services.outbox import WRITING
from services.reports.facts import STANDING, Running, spent_of
from services.reports.register import verdicts_of
from services.rights import Actor
from services.sla import clocks_of
from services.terms import policy_of
from web.case_pane import Pane, read_pane
from web.contract_words import DECISIONS
from web.deadlines import why_late
from web.language import _, format_datetime
from web.report_figures import CODES
from web.report_words import minutes
from web.security import current_actor, current_desk, current_staff, rang
from web.words import (
    ACT_KINDS,
    ACT_STATES,
    CLOCKS,
    CLOSE_REASONS,
    MESSAGE_STATES,
    ROUTE_STATES,
    STAGES,
    department_name,
    label_name,
    platform_name,
)

screen = Blueprint("case_paper", __name__, url_prefix="/inbox/<int:case_id>")


@screen.post("/paper")
def take(case_id: int) -> Response:
    """The file; that it was taken stands in the case's history, and so on the sheet itself."""
    desk, now = current_desk(), utc_now()
    with desk.database.write.begin() as session:
        note_printed(session, current_actor(), case_id)
    rang()
    with desk.database.read.begin() as session:
        pane = read_pane(session, current_actor(), case_id)
        blocks = list(_blocks(session, current_actor(), pane))
        title = _("Case %(number)s", number=pane.case.number or pane.case.id)
        made = _(
            "Made %(time)s by %(name)s. All times: %(zone)s.",
            time=_at(now),
            name=_taker(),
            zone=format_datetime(now, "VVV"),
        )
    content = draw_sheet(title, made, blocks)
    name = f"otklik-{pane.case.number or pane.case.id}.pdf"
    return send_file(io.BytesIO(content), "application/pdf", as_attachment=True, download_name=name)


def _taker() -> str:
    staff = current_staff()
    return staff.name if staff is not None else "—"


def _at(at: datetime | None) -> str:
    """A time that stands for years: with the year and the second; the zone stands once, on top."""
    return format_datetime(at, "d MMM y, H:mm:ss") if at is not None else "—"


def _blocks(session: Session, actor: Actor, pane: Pane) -> Iterator[Block]:
    yield table([], _about(session, pane), wide=(1, 3))
    yield from _clocks(session, pane)
    yield from _decisions(decisions_of_case(session, actor, pane.case.id), _found(session, pane))
    yield heading(_("What was written"))
    for entry in pane.view.thread:
        yield _message(entry, _parted(session, pane, entry))
    yield from _replies(pane)
    yield from _agreed(decided_in(session, pane.case.id), pane)
    yield from _proof(pane)
    yield from _questions(pane)
    if pane.view.notes:
        yield heading(_("Notes of colleagues"))
        yield from (quote(f"{name}, {_at(note.created_at)}", note.text) for note, name in pane.view.notes)
    yield heading(_("Who did what"))
    # What was written down by hand later stands where it happened.
    history = sorted(pane.history, key=lambda one: one.at)
    rows = [[_at(one.at), one.who or _("Otklik"), one.text] for one in history]
    yield table([_("When"), _("Who"), _("What")], rows, wide=(3, 3, 5))


def _about(session: Session, pane: Pane) -> list[list[str]]:
    case, view = pane.case, pane.view
    fact = session.get(CaseFact, case.id)
    reason = CLOSE_REASONS.get(case.close_reason or "") if case.close_reason != "answered" else None
    ended = _at(case.closed_at) + (f" ({reason})" if reason is not None else "")
    rows = [
        (_("Place"), f"{platform_name(view.source.platform)}: {view.source.title}"),
        (_("Under"), (view.publication.title or view.publication.url or "") if view.publication else ""),
        (_("Author"), view.author.name if view.author else "—"),
        (_("Kind"), label_name(case.label if case.sure else None)),
        (_("State"), str(STAGES.get(case.stage, case.stage))),
        (_("Leads"), view.assignee.name if view.assignee else _("nobody")),
        (_("Part of case"), _number(session, pane.part.from_case_id) if pane.part else ""),
        (_("Joined with case"), ", ".join(other.number or str(other.id) for _row, other in pane.joinings)),
        (_("Opened"), _at(case.opened_at)),
        (_("First answer"), _at(case.first_reply_at)),
        (_("Closed"), ended if case.closed_at else ""),
    ]
    if fact is not None:
        rows.append((_("Working time to the first answer"), minutes(fact.first_minutes)))
        took = spent_of(fact, Running(policy_of(session).calendars["desk"], utc_now()))
        spent = _("we %(a)s, departments %(b)s, the author %(c)s", a=minutes(took["desk"]),
                  b=minutes(took["department"]), c=minutes(took["client"]))  # fmt: skip
        rows.append((_("Whose time it was"), spent))
    return [[name, words] for name, words in rows if words]


def _clocks(session: Session, pane: Pane) -> Iterator[Block]:
    clocks = clocks_of(session, [pane.case.id]).get(pane.case.id, [])
    if not clocks:
        return
    yield heading(_("Terms of the case"))
    units = {route.id: department_name(unit) for route, unit, _name in pane.view.routes}
    answers = [act.accepted_at for act in pane.view.acts if act.kind in WRITING and act.state in STANDING]
    rows = [
        [
            _term(one, units),
            _at(one.started_at),
            _at(one.due_at),
            _at(one.done_at),
            _kept(one, answers),
        ]
        for one in clocks
    ]
    yield table([_("Term"), _("From"), _("To"), _("Done"), _("How it ended")], rows, wide=(4, 3, 3, 3, 2))
    if pane.late:
        yield text(why_late(pane.late))


def _term(clock: Clock, units: Mapping[int, str]) -> str:
    """What the term is of, with the department whose it is."""
    words = str(CLOCKS.get(clock.kind, clock.kind))
    unit = units.get(clock.route_id or 0)
    words = f"{words}: {unit}" if unit else words
    return words[:1].upper() + words[1:]


def _kept(clock: Clock, answers: Sequence[datetime | None]) -> str:
    """A first term that ended with its case, and not by an answer, was neither kept nor broken."""
    done = clock.done_at
    if clock.kind == "first" and done is not None:
        done = min((at for at in answers if at is not None and at >= clock.started_at), default=None)
        if done is None:
            return _("ended without an answer")
    if clock.done_at is None and clock.paused_at is not None:
        return _("stands still")
    if (done or utc_now()) > clock.due_at:
        return _("late")
    return _("in time") if clock.done_at is not None else _("runs")


def _found(session: Session, pane: Pane) -> Block | None:
    """What was found on a complaint, by whom and what was done about it."""
    verdict = verdicts_of(session, [pane.case.id]).get(pane.case.id)
    if verdict is None:
        return None
    staff = session.get(Staff, verdict.staff_id) if verdict.staff_id is not None else None
    by = _("On the complaint: %(name)s, %(time)s", name=staff.name if staff else "—", time=_at(verdict.found_at))
    measures = _("Measures: %(words)s", words=verdict.measures) if verdict.measures else ""
    return quote(by, str(CODES[verdict.outcome]), measures)


def _decisions(found: Sequence[Listed], verdict: Block | None) -> Iterator[Block]:
    if found or verdict is not None:
        yield heading(_("Decisions"))
    if verdict is not None:
        yield verdict
    for one in found:
        row = one.decision
        who = one.author.name if one.author else "—"
        ground = _("Ground: %(ground)s", ground=" · ".join(part for part in (row.ground, row.norm) if part))
        yield quote(f"{DECISIONS[row.kind]}: {who}, {_at(row.decided_at)}", row.outcome, ground)


def _parted(session: Session, pane: Pane, entry: Entry) -> list[str]:
    """What was split off a message, and into which case; of such a case, which words it is about."""
    found = [
        _("Split off into case %(number)s: «%(words)s»", number=_number(session, part.case_id), words=part.text)
        for part in pane.parts.get(entry.message.id, ())
    ]
    if pane.part is not None and pane.part.message_id == entry.message.id:
        found.append(_("This case is about: «%(words)s»", words=pane.part.text))
    return found


def _number(session: Session, case_id: int) -> str:
    return session.get_one(Case, case_id).number or str(case_id)


def _message(entry: Entry, parted: Sequence[str]) -> Block:
    message = entry.message
    who = entry.staff or (entry.author.name if entry.author else "—")
    we = _("we")
    ours = f" ({we})" if message.direction == "out" else ""
    notes = [*parted, *(_version(one) for one in entry.versions)]
    if message.edited_at:
        notes.append(_("Edited %(time)s", time=_at(message.edited_at)))
    if message.state in MESSAGE_STATES:
        deleted = f", {_at(message.deleted_at)}" if message.deleted_at else ""
        notes.append(f"{MESSAGE_STATES[message.state]}{deleted}")
    notes += [_file(file) for file in entry.attachments]
    notes += [message.url] if message.url else []
    return quote(f"{who}{ours}, {_at(message.published_at)}", message.text or "—", "\n".join(notes))


def _version(one: TextVersion) -> str:
    return _(
        "Version %(number)s, stood until %(time)s: %(words)s",
        number=one.number,
        time=_at(one.stood_until),
        words=one.text,
    )


def _replies(pane: Pane) -> Iterator[Block]:
    if pane.view.sendings:
        yield heading(_("Replies not seen there yet"))
    for one in pane.view.sendings:
        by = f"{one.staff or '—'}, {_at(one.reply.created_at)}: {_state(one.act)}"
        notes = [_file(file) for file in pane.sent_files.get(one.reply.id, ())]
        notes += [one.reply.verdict_note] if one.reply.verdict_note else []
        yield quote(by, one.reply.text, "\n".join(notes))


def _agreed(decided: Sequence[Reply], pane: Pane) -> Iterator[Block]:
    """Of each reply that needed another's word: whose, when and what it was."""
    if not decided:
        return
    yield heading(_("Agreement to replies"))
    head = [_("Reply"), _("Who wrote it"), _("Who decided"), _("When"), _("Decision")]
    rows = [
        [
            one.text, pane.names.get(one.staff_id or 0, "—"), pane.names.get(one.approver_id or 0, "—"),
            _at(one.decided_at),
            _("sent back: %(words)s", words=one.verdict_note) if one.verdict_note else _("agreed"),
        ]
        for one in decided
    ]  # fmt: skip
    yield table(head, rows, wide=(5, 2, 2, 3, 3))


def _file(file: Any) -> str:
    return _("File: %(name)s", name=file.name or file.kind)


def _proof(pane: Pane) -> Iterator[Block]:
    """Each act on the platform, how far it is proven, and by what."""
    if not pane.view.acts:
        return
    yield heading(_("Proof of publication"))
    head = [_("Act"), _("Who"), _("Taken by the platform"), _("Seen there"), _("How far proven")]
    rows = [
        [
            f"{ACT_KINDS.get(act.kind, act.kind)}", pane.names.get(act.staff_id or 0, _("Otklik")),
            _at(act.accepted_at), _at(act.seen_at), _proven(act),
        ]
        for act in pane.view.acts
    ]  # fmt: skip
    yield table(head, rows, wide=(2, 2, 3, 3, 4))


def _state(act: Act) -> str:
    if act.state == "accepted" and act.target.get(BY_HAND):  # no platform said so, a person did
        return _("Published there by hand and marked here")
    return str(ACT_STATES.get(act.state, act.state))


def _proven(act: Act) -> str:
    number = _("its number there: %(id)s", id=act.external_id) if act.external_id else ""
    parts = (_state(act), number, act.url or "", act.error_text or "")
    return "\n".join(part for part in parts if part)


def _questions(pane: Pane) -> Iterator[Block]:
    if pane.view.routes:
        yield heading(_("Questions to departments"))
    for route, unit, name in pane.view.routes:
        by = f"{pane.names.get(route.asked_by_id, '—')} → {department_name(unit)}, {_at(route.asked_at)}"
        notes = [str(ROUTE_STATES.get(route.state, route.state))]
        notes += [_("opened %(time)s", time=_at(route.opened_at))] if route.opened_at else []
        notes += [route.reason] if route.reason else []
        yield quote(by, route.question, " · ".join(notes))
        for line in pane.said.get(route.id, ()):
            yield quote(f"{pane.names.get(line.staff_id, '—')}, {_at(line.created_at)}", line.text)
        if route.answer:
            beside = "\n".join(_file(file) for file in pane.files.get(route.id, ()))
            by = f"{name or '—'} ({department_name(unit)}), {_at(route.answered_at)}"
            yield quote(by, route.answer, beside)
