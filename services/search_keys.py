"""How a query is put to each of the two databases, so that both give the same keys in the same order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, column, exists, literal, literal_column, or_, select, table, text
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session, aliased

from models import Case, Department, Message, Note, Route, SearchEntry, Source
from services.lemmas import fold, words_of
from services.search_index import key_of
from services.search_query import PLATFORM_WORDS, Query, Term

_fts = table("search_fts", column("rowid"))


def keys_of_hits(session: Session, query: Query, below: int | None, limit: int) -> list[int]:
    """Keys of hits, newest first."""
    sources, units = _sources_of(session, query.place), _departments_of(session, query.department)
    if sources == [] or units == []:
        return []
    wanted = _terms_of(query, sources)
    if session.get_bind().dialect.name == "sqlite":
        key: Any = _fts.c.rowid if wanted else SearchEntry.id
        statement: Select[Any] = select(key)
        if wanted:
            statement = statement.select_from(_fts).where(literal_column("search_fts").op("MATCH")(as_fts5(wanted)))
    else:
        # A plan made for any word would walk all entries for a rare one.
        session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
        key = SearchEntry.id
        statement = select(key)
        if wanted:
            statement = statement.where(SearchEntry.vector.op("@@")(literal(as_tsquery(wanted), TSQUERY)))
    for condition in _conditions(query, key, units):
        statement = statement.where(condition)
    if below is not None:
        statement = statement.where(key < below)
    return list(session.scalars(statement.order_by(key.desc()).limit(limit)))


@dataclass(frozen=True, slots=True)
class Wanted:
    """``where``: all · names · extra."""

    term: Term
    where: str = "all"


def _terms_of(query: Query, sources: Sequence[int] | None) -> list[Wanted]:
    """What must match, with at least one thing that is looked for; exclusions alone find nothing."""
    wanted = [Wanted(Term(form, ((form,),)), "names") for form in query.author]
    if sources is not None:
        wanted.append(Wanted(Term("", tuple((f"xsrc{source_id}",) for source_id in sources)), "extra"))
    wanted += [Wanted(term) for term in query.terms if not term.without]
    return wanted + [Wanted(term) for term in query.terms if term.without] if wanted else []


def as_fts5(wanted: Sequence[Wanted]) -> str:
    """The query in FTS5's own words; phrases stand side by side in the text itself."""
    columns = {"names": "{names} : ", "extra": "{extra} : "}
    need: list[str] = []
    without: list[str] = []
    for one in wanted:
        star = " *" if one.term.prefix else ""
        either = " OR ".join(
            f'{columns.get(one.where, "{words} : " if len(phrase) > 1 else "")}"{" ".join(phrase)}"{star}'
            for phrase in one.term.phrases
        )
        (without if one.term.without else need).append(f"({either})")
    return " AND ".join(need) + "".join(f" NOT {one}" for one in without)


def as_tsquery(wanted: Sequence[Wanted]) -> str:
    """The same for PostgreSQL; the text itself has the weight D."""
    weights = {"names": "A", "extra": "B"}
    parts = []
    for one in wanted:
        phrases = []
        for phrase in one.term.phrases:
            weight = weights.get(one.where, "D" if len(phrase) > 1 else "") + ("*" if one.term.prefix else "")
            phrases.append(" <-> ".join(f"'{form}'" + (f":{weight}" if weight else "") for form in phrase))
        parts.append(("!" if one.term.without else "") + "(" + " | ".join(f"({one})" for one in phrases) + ")")
    return " & ".join(parts)


def _conditions(query: Query, key: Any, units: Sequence[int] | None) -> Iterable[ColumnElement[bool]]:
    if query.since is not None:
        yield key >= key_of(query.since)
    if query.until is not None:
        yield key < key_of(query.until)
    if query.kind is None and units is None:
        return
    case = select(Case.id).where(or_(Case.id == Message.case_id, Case.id == Note.case_id))
    if query.kind is not None:
        case = case.where(Case.label == query.kind, Case.sure)
    if units is not None:
        case = case.where(exists().where(Route.case_id == Case.id, Route.department_id.in_(units)))
    entry = aliased(SearchEntry)
    about = (
        select(entry.id)
        .outerjoin(Message, (entry.kind == "message") & (Message.id == entry.object_id))
        .outerjoin(Note, (entry.kind == "note") & (Note.id == entry.object_id))
        .where(entry.id == key, case.correlate(Message, Note).exists())
    )
    yield about.correlate(_fts, SearchEntry).exists()


def _sources_of(session: Session, place: str | None) -> list[int] | None:
    """None: any; places by platform, or by a part of their title."""
    if place is None:
        return None
    form = next((word.forms[0] for word in words_of(place)), place)
    platform = PLATFORM_WORDS.get(place) or PLATFORM_WORDS.get(form) or place
    rows = session.execute(select(Source.id, Source.platform, Source.title))
    return [row.id for row in rows if row.platform == platform or place in fold(row.title)]


def _departments_of(session: Session, name: str | None) -> list[int] | None:
    if name is None:
        return None
    wanted = {word.forms[0] for word in words_of(name)}
    units = session.scalars(select(Department))
    return [
        unit.id
        for unit in units
        if name in (unit.code, fold(unit.name_en))
        or wanted <= {word.forms[0] for word in words_of(unit.name)}
        or fold(unit.name).startswith(name)
    ]
