"""Filters of a cut on what is no case: contracts, deals, calls, cards, broadcasts, troubles and places of checks.

What a row does not say of itself its case says; a row without a case then falls out.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import and_, or_, select

from models import (
    Author,
    Broadcast,
    BroadcastIncident,
    BroadcastPlace,
    Call,
    Case,
    CaseFact,
    Client,
    Contract,
    Deal,
    Identity,
    Incident,
    IncidentCase,
    Message,
    RouteFact,
    Source,
    Study,
    VisitedPlace,
)
from services.reports.cut import FILTERS, NO_PROGRAMME, NONE, Cut
from services.reports.programmes import SIGNED, of_programme, on_course

Conditions = list[Any]

CONTRACTS = FILTERS
CALLS = FILTERS
DEALS = FILTERS
CLIENTS = ("platform", "staff_id", "programme")
BROADCASTS = ("platform", "source_id", "staff_id")
TROUBLES = ("platform", "source_id", "theme", "department_id")
CHECKS = ("platform", "source_id", "staff_id")
BY_CASE = ("platform", "source_id", "kind", "theme", "department_id", "about")
"""Filters that a contract or a call has by its case."""
DEALS_BY_CASE = BY_CASE[1:]
CALLS_BY_CASE = ("kind", "theme", "department_id", "programme", "about")


def _person(value: int | None, column: Any) -> Conditions:
    if value is None:
        return []
    return [column.is_(None) if value == NONE else column == value]


def _by_case(cut: Cut, column: Any, names: Sequence[str]) -> Conditions:
    """What only the case of a row says."""
    asked = {name: getattr(cut, name) for name in names}
    if all(value is None for value in asked.values()):
        return []
    alone = replace(cut.without_filters, **asked)
    facts = select(CaseFact.id).where(*alone.filters(CaseFact.department_id, CaseFact.staff_id))
    return [column.in_(facts)]


def of_contracts(cut: Cut) -> Conditions:
    """Of contracts; the person is who drew one up."""
    return [
        *of_programme(cut.programme), *_person(cut.staff_id, Contract.author_id),
        *_by_case(cut, Contract.case_id, BY_CASE),
    ]  # fmt: skip


def of_deals(cut: Cut) -> Conditions:
    """By programme those of a contract on it, or named after it; by channel where they came from."""
    found = [*_person(cut.staff_id, Deal.staff_id), *_by_case(cut, Deal.case_id, DEALS_BY_CASE)]
    if cut.platform:
        found.append(Deal.origin == cut.platform)
    if cut.programme:
        on_it = select(Contract.id).where(*of_programme(cut.programme))
        product = "" if cut.programme == NO_PROGRAMME else cut.programme
        found.append(or_(Deal.contract_id.in_(on_it), and_(Deal.contract_id.is_(None), Deal.product == product)))
    return found


def of_calls(cut: Cut) -> Conditions:
    """By channel and place those that an exchange told of."""
    found = [*_person(cut.staff_id, Call.staff_id), *_by_case(cut, Call.case_id, CALLS_BY_CASE)]
    if cut.platform or cut.source_id is not None:
        told = select(Message.id).join(Source, Source.id == Message.source_id).where(Message.id == Call.message_id)
        found.append(told.where(*_of_source(cut)).exists())
    return found


def _of_source(cut: Cut) -> Conditions:
    return [
        *([Source.platform == cut.platform] if cut.platform else []),
        *([Source.id == cut.source_id] if cut.source_id is not None else []),
    ]  # fmt: skip


def of_clients(cut: Cut) -> Conditions:
    """The person has the card; the channel is one that the client wrote in; the programme that of a contract that
    was concluded or of a course."""
    found = _person(cut.staff_id, Client.owner_id)
    if cut.platform:
        wrote = select(Identity.id).join(Author, Author.id == Identity.linked_author_id)
        found.append(wrote.where(Identity.client_id == Client.id, Author.platform == cut.platform).exists())
    if cut.programme:
        theirs = or_(Contract.client_id == Client.id, Contract.student_id == Client.id)
        bought = select(Contract.id).where(theirs, Contract.state.in_(SIGNED))
        studied = select(Study.id).where(Study.client_id == Client.id)
        if cut.programme == NO_PROGRAMME:
            found += [~bought.exists(), ~studied.exists()]
        else:
            on_it = bought.where(*of_programme(cut.programme)).exists()
            found.append(or_(on_it, studied.where(on_course(cut.programme)).exists()))
    return found


def of_broadcasts(cut: Cut) -> Conditions:
    """The person watches it; channel and place are among those where it is shown."""
    found = _person(cut.staff_id, Broadcast.staff_id)
    shown = select(BroadcastPlace.id).where(BroadcastPlace.broadcast_id == Broadcast.id)
    if cut.platform:
        found.append(shown.where(BroadcastPlace.platform == cut.platform).exists())
    if cut.source_id is not None:
        found.append(shown.where(BroadcastPlace.source_id == cut.source_id).exists())
    return found


def of_incidents(cut: Cut) -> Conditions:
    """Channel and place are those of one of its cases."""
    found: Conditions = []
    if cut.theme:
        found.append(Incident.theme == cut.theme)
    if cut.department_id is not None:
        found += _person(cut.department_id, Incident.department_id)
    if cut.platform or cut.source_id is not None:
        stood = select(IncidentCase.id).join(Case, Case.id == IncidentCase.case_id)
        stood = stood.join(Source, Source.id == Case.source_id).where(IncidentCase.incident_id == Incident.id)
        found.append(stood.where(IncidentCase.out_at.is_(None), *_of_source(cut)).exists())
    return found


def of_air_incidents(cut: Cut) -> Conditions:
    """Those of broadcasts have no theme; the department is whom somebody asked."""
    found: Conditions = [BroadcastIncident.id.is_(None)] if cut.theme else []
    if cut.department_id is not None:
        asked = select(RouteFact.id).where(RouteFact.id == BroadcastIncident.route_id)
        here = asked.where(RouteFact.department_id == cut.department_id).exists()
        found.append(~asked.exists() if cut.department_id == NONE else here)
    if cut.platform or cut.source_id is not None:
        there = select(BroadcastPlace.id).where(BroadcastPlace.broadcast_id == BroadcastIncident.broadcast_id)
        if cut.platform:
            there = there.where(BroadcastPlace.platform == cut.platform)
        if cut.source_id is not None:
            there = there.where(BroadcastPlace.source_id == cut.source_id)
        found.append(there.exists())
    return found


def of_places(cut: Cut) -> Conditions:
    """Places that people look into: the person is whose place it is."""
    found = _person(cut.staff_id, VisitedPlace.staff_id)
    if cut.source_id is not None:
        found.append(VisitedPlace.source_id == cut.source_id)
    if cut.platform:
        of_it = select(Source.id).where(Source.id == VisitedPlace.source_id, Source.platform == cut.platform)
        found.append(of_it.exists())
    return found
