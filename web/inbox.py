"""The inbox: views, list and case in three panes; fragments of each for a page that stays open all day."""

from collections.abc import Iterable
from dataclasses import dataclass

from flask import Blueprint, render_template, request

from models import Department, SavedView, Staff, Tag, utc_now
from services.accounts import list_staff
from services.counters import MOST_COUNTED, counters
from services.filters import MOST_CONDITIONS, MOST_GROUPS, Filters
from services.freshness import Shown, key_of, tell_news
from services.inbox import CasePage, count_cases, list_cases
from services.reply_files import ENDINGS
from services.rights import actor_of
from services.routing import departments
from services.saved_views import views_of
from services.sources import list_sources
from services.tags import tags
from web import marks, theme_words, words
from web.agreement import why_it_waits
from web.case_pane import Pane, read_pane
from web.filters import VIEWS, changed, groups_of, ids_of, narrowed, query_of, read_filters, view_of
from web.language import _
from web.numbers import whole
from web.security import current_actor, current_desk, is_htmx
from web.state_words import size
from web.words import department_name

screen = Blueprint("inbox", __name__, url_prefix="/inbox")


@dataclass(frozen=True, slots=True)
class Screen:
    """What stands left of the case."""

    filters: Filters
    numbers: dict[str, int]
    page: CasePage
    departments: list[Department]
    people: tuple[Staff, ...]  # who may lead a case
    platforms: list[str]
    sources: list[tuple[int, str]]
    saved: list[SavedView]
    tags: list[Tag]

    @property
    def units(self) -> list[tuple[int, str]]:
        return [(unit.id, department_name(unit)) for unit in self.departments]

    @property
    def tag_choices(self) -> list[tuple[int, str]]:
        return [(tag.id, tag.name) for tag in self.tags]

    @property
    def fields(self) -> list[dict[str, object]]:
        """What a condition may speak of, for the form that joins them by «or»."""
        ages = [(1, _("a day")), (3, _("three days")), (7, _("a week")), (30, _("a month"))]
        choices: list[tuple[str, str, Iterable[tuple[object, object]]]] = [
            ("label", _("Kind"), [*words.LABELS.items(), ("unsure", _("Kind not known"))]),
            ("platform", _("Place"), [(name, words.platform_name(name)) for name in self.platforms]),
            ("source", _("Account or channel"), self.sources),
            ("tag", _("Mark"), self.tag_choices),
            ("kind", _("Work"), theme_words.KINDS.items()),
            ("theme", _("Theme"), theme_words.THEMES.items()),
            (
                "signal", _("Looks like"),
                [("any", _("anything of these, undecided")), *theme_words.SIGNAL_NAMES.items()],
            ),
            ("assignee", _("Led by"), [("me", _("Me")), ("none", _("Nobody")), *self.leads]),
            ("department", _("Waits for a department"), self.units),
            ("visibility", _("Where it is written"), [("public", _("in public")), ("private", _("in private"))]),
            ("urgent", _("Urgency"), [("1", _("critical or high"))]),
            ("older", _("Older than"), ages),
            ("newer", _("Not older than"), ages),
        ]  # fmt: skip
        return [
            {"name": name, "title": str(title), "values": [[str(value), str(said)] for value, said in values]}
            for name, title, values in choices
            if values
        ]

    @property
    def leads(self) -> list[tuple[int, str]]:
        return [(person.id, person.name) for person in self.people]


def is_arriving() -> bool:
    """Until the classifier is there, cases without a label are shown too."""
    return current_desk().labeller.state != "ready"


@screen.app_context_processor
def _names() -> dict[str, object]:
    return {
        "VIEWS": VIEWS, "query_of": query_of, "narrowed": narrowed, "changed": changed, "view_of": view_of,
        "key_of": key_of, "safe_link": marks.safe_link, "marked": marks.marked, "part_marked": marks.part_marked,
        "best_two": marks.best_two,
        "groups_of": groups_of, "MOST_GROUPS": MOST_GROUPS, "MOST_CONDITIONS": MOST_CONDITIONS,
        "FILE_ENDINGS": ENDINGS, "size": size, "called": marks.called,
        "greeting": marks.greeting, "about": theme_words, "why_it_waits": why_it_waits,
    }  # fmt: skip


@screen.get("")
def index() -> str:
    return render_template("inbox/index.html", screen=_read_screen(), pane=None)


@screen.get("/<int:case_id>")
def show(case_id: int) -> str:
    pane = _read_pane(case_id)
    if is_htmx():
        return render_template("inbox/case.html", pane=pane, filters=read_filters(request.args))
    return render_template("inbox/index.html", screen=_read_screen(), pane=pane)


@screen.get("/rows")
def rows() -> str:
    """The next page of the list, below the one that is shown."""
    filters = read_filters(request.args)
    with current_desk().database.read.begin() as session:
        page = list_cases(
            session, current_actor(), filters, after=request.args.get("after"), arriving=is_arriving()
        )
    return render_template("inbox/rows.html", page=page, filters=filters, open_id=_open_id())


@screen.get("/refresh")
def refresh() -> str:
    """Counters, the pill of new ones or these themselves, and the lines that are shown already, as they are now."""
    asked, desk = request.args, current_desk()
    ids = tuple(ids_of(asked.get("ids", "")))
    shown = Shown(read_filters(asked), asked.get("top", ""), ids, asked.get("unread") == "1", is_arriving())
    numbers, news = tell_news(desk.database, desk.together, current_actor(), shown)
    return render_template(
        "inbox/refresh.html", filters=shown.filters, numbers=numbers, news=news, open_id=_open_id()
    )


@screen.get("/count")
def count() -> str:
    """How many cases a filter with «or» finds: counted apart, since no index holds it."""
    with current_desk().database.read.begin() as session:
        found = count_cases(session, current_actor(), read_filters(request.args), arriving=is_arriving())
    return render_template("inbox/count.html", found=found, most=MOST_COUNTED, at=utc_now())


def _read_screen() -> Screen:
    filters = read_filters(request.args)
    with current_desk().database.read.begin() as session:
        actor = current_actor()
        numbers = counters(session, actor, arriving=is_arriving())
        page = list_cases(session, actor, filters, arriving=is_arriving())
        units = departments(session)
        people = tuple(one for one in list_staff(session) if actor_of(one).may("case.reply"))
        places = list_sources(session, actor)
        saved = views_of(session, actor)
        marks_known = tags(session, actor)
    platforms = sorted({source.platform for source in places})
    titles = [(source.id, source.title) for source in places]
    return Screen(filters, numbers, page, units, people, platforms, titles, saved, marks_known)


def _read_pane(case_id: int) -> Pane:
    with current_desk().database.read.begin() as session:
        return read_pane(session, current_actor(), case_id)


def _open_id() -> int | None:
    return request.args.get("open", type=whole)
