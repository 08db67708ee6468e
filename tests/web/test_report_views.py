"""Keeping a view from the address bar, opening it later, ordering it by mail and stopping it."""

from sqlalchemy import select

from models import ReportOrder, ReportView


def test_a_view_is_kept_opened_ordered_and_dropped(database, enter) -> None:
    head = enter("head")
    assert "Сохранить вид" in head.get("/reports?period=last_month&kind=question").text
    saved = head.post(
        "/reports/views?from=2026-10-01&to=2026-10-31&period=last_month&kind=question&by=theme", name="Вопросы",
        code="structure", common="1",
    )  # fmt: skip
    assert saved.location == "/reports/all/structure?period=last_month&kind=question&by=theme"
    page = head.get("/reports/all").text
    assert "Вопросы" in page
    assert "kind=question" in page
    with database.read.begin() as session:
        view = session.scalars(select(ReportView)).one()
        assert (view.common, view.query) == (True, {"period": "last_month", "kind": "question", "by": "theme"})
    head.post("/reports/views/order", what="view", view=str(view.id), rhythm="week", hour="8")
    head.post("/reports/views/order", what="morning", hour="9")
    assert head.get("/reports/all").text.count("следующее:") == 2
    with database.read.begin() as session:
        ids = list(session.scalars(select(ReportOrder.id)))
    for order_id in ids:
        head.post(f"/reports/views/order/{order_id}/cancel")
    assert "следующее:" not in head.get("/reports/all").text
    head.post(f"/reports/views/{view.id}/drop")
    assert "kind=question" not in head.get("/reports/all").text
