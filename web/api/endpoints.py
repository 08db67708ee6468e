"""The one table of the API: its routes are made of it, and so is its document."""

from dataclasses import dataclass

from pydantic import BaseModel

from web.api import shapes, views
from web.language import Lazy, _l


@dataclass(frozen=True, slots=True)
class Endpoint:
    """``scopes``: one of them is needed, none for what any key opens. ``once``: it wants an Idempotency-Key.

    ``path`` is written as OpenAPI does, its numbers in braces. ``outbox``: there may be something to send after it.
    """

    name: str
    method: str
    path: str
    summary: Lazy
    scopes: tuple[str, ...]
    view: views.View
    answer: type[BaseModel]
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    once: bool = False
    status: int = 200
    outbox: bool = False

    @property
    def needs_body(self) -> bool:
        return self.body is not None and self.body is not shapes.Nothing


ENDPOINTS = (
    Endpoint("me", "GET", "/me", _l("Whose key this is and what it may do"), (), views.me, shapes.Me),
    Endpoint(
        "list_cases", "GET", "/cases", _l("Cases by the filters of the inbox, page by page"), ("cases:read",),
        views.list_of_cases, shapes.CasePage, query=shapes.CaseQuery,
    ),
    Endpoint(
        "show_case", "GET", "/cases/{case_id}", _l("One case with its messages"), ("cases:read",), views.one_case,
        shapes.CaseDetail,
    ),
    Endpoint(
        "list_messages", "GET", "/cases/{case_id}/messages", _l("The messages of a case and of its thread"),
        ("cases:read",), views.messages, shapes.MessageList,
    ),
    Endpoint(
        "list_people", "GET", "/staff", _l("Who may lead a case"), ("cases:read", "cases:write"), views.people,
        shapes.PersonList,
    ),
    Endpoint(
        "take_case", "POST", "/cases/{case_id}/take", _l("Take a case"), ("cases:write",), views.take, shapes.Case,
        body=shapes.Nothing,
    ),
    Endpoint(
        "assign_case", "POST", "/cases/{case_id}/assign", _l("Give a case to somebody, or to nobody"),
        ("cases:write",), views.assign, shapes.Case, body=shapes.Assign,
    ),
    Endpoint(
        "close_case", "POST", "/cases/{case_id}/close", _l("Close a case without a reply"), ("cases:write",),
        views.close, shapes.Case, body=shapes.Close,
    ),
    Endpoint(
        "reopen_case", "POST", "/cases/{case_id}/reopen", _l("Open a case again"), ("cases:write",), views.reopen,
        shapes.Case, body=shapes.Nothing,
    ),
    Endpoint(
        "write_reply", "POST", "/cases/{case_id}/replies", _l("Write a reply to the author"), ("replies:write",),
        views.reply, shapes.Reply, body=shapes.NewReply, once=True, status=201, outbox=True,
    ),
    Endpoint(
        "show_reply", "GET", "/replies/{reply_id}", _l("What became of a reply"), ("replies:write", "cases:read"),
        views.one_reply, shapes.Reply,
    ),
    Endpoint(
        "list_routes", "GET", "/cases/{case_id}/routes", _l("The questions to departments of a case"),
        ("routes:read",), views.routes_of_case, shapes.RouteList,
    ),
    Endpoint(
        "ask_department", "POST", "/cases/{case_id}/routes", _l("Ask a department"), ("routes:write",), views.ask,
        shapes.Route, body=shapes.NewRoute, once=True, status=201,
    ),
    Endpoint(
        "list_departments", "GET", "/departments", _l("Departments and their codes"),
        ("cases:read", "routes:read", "routes:write", "routes:answer"), views.departments, shapes.DepartmentList,
    ),
    Endpoint(
        "list_questions", "GET", "/routes", _l("Questions to my departments, the oldest first"), ("routes:read",),
        views.my_questions, shapes.RouteList, query=shapes.RouteQuery,
    ),
    Endpoint(
        "show_question", "GET", "/routes/{route_id}", _l("One question with the thread, contacts taken out"),
        ("routes:read",), views.one_question, shapes.Question,
    ),
    Endpoint(
        "answer_question", "POST", "/routes/{route_id}/answer", _l("Answer a question"), ("routes:answer",),
        views.answer, shapes.Question, body=shapes.Answer,
    ),
    Endpoint(
        "decline_question", "POST", "/routes/{route_id}/decline", _l("Hand a question back: it is not ours"),
        ("routes:answer",), views.decline, shapes.Question, body=shapes.Decline,
    ),
)  # fmt: skip
