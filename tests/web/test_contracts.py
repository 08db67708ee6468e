"""The screens of contracts: who sees them, what a draft asks for, a template that is refused with words."""

import io
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from models import Contract, Document, Instalment, Payment, Source, Task, Termination
from services.contracts.examples import STUDENTS, seed_contracts
from services.contracts.legal import seed_norms
from services.contracts.offers import accept_order, read_order
from services.documents.templates import seed_template
from services.money.receivables import run_receivables
from services.reports.tables import REPORTS
from services.training import seed_people
from tests.services.documents.attacks import plain

DAY = date(2026, 11, 26)


@pytest.fixture
def school(desk, cast):
    """The training school with its invented contracts."""
    with desk.database.write.begin() as session:
        seed_people(session)
        seed_contracts(session, desk.keyring, DAY)
    return desk


def test_the_examples_are_made_although_an_order_came_first(desk, cast) -> None:
    order = read_order(
        {
            "number": "GC-7", "payment_id": "P-7", "name": "Белкина Настя", "email": "belkina@mail.example",
            "paid_at": f"{DAY}T09:40:00", "price": "4900", "paid": "4900", "offer_version": "7",
            "offer_hash": "5e" * 32, "address": "203.0.113.7", "consents": "ПДн № 12", "program": "Клуб",
        }
    )  # fmt: skip
    with desk.database.write.begin() as session:
        seed_people(session)
        seed_norms(session)
        accept_order(session, order)
        seed_contracts(session, desk.keyring, DAY)
        made = session.scalar(select(func.count()).select_from(Contract))
        seed_contracts(session, desk.keyring, DAY)
        assert session.scalar(select(func.count()).select_from(Contract)) == made == len(STUDENTS) + 2


@pytest.fixture
def head(school, enter):
    return enter("head")


@pytest.mark.parametrize("code", REPORTS)
def test_every_report_opens_on_the_screen_and_as_files(head, code) -> None:
    """Over the examples, so that registers have rows, and each row its page."""
    page = head.get(f"/reports/all/{code}?period=year")
    assert page.status_code == 200
    for ending in ("xlsx", "csv"):
        assert head.get(f"/reports/all/{code}.{ending}?period=year").status_code == 200
    assert head.get(f"/reports/paper/{code}.pdf?period=year").status_code == 200
    if code == "contracts":
        assert 'href="/contracts/1"' in page.get_data(as_text=True)


def test_every_page_opens(head) -> None:
    for address in (
        "/contracts", "/contracts?group=force", "/contracts?q=2026-00001", "/contracts/1", "/contracts/6/edit",
        "/contracts/4", "/contracts/4/terminate", "/contracts/new", "/contracts/money", "/contracts/templates",
        "/contracts/organisation", "/contracts/decisions", "/contracts/1/documents/new?kind=application",
        "/contracts/1/documents/new?kind=questionnaire",
    ):  # fmt: skip
        page = head.get(address)
        assert page.status_code == 200, address
        assert "None" not in page.text.split("</header>")[1], address


def test_who_may_come_in(school, enter) -> None:
    assert enter("smm").get("/contracts").status_code == 403
    assert enter("curator").get("/contracts").status_code == 403
    accounting = enter("accounting")
    assert accounting.get("/contracts/5").status_code == 200
    assert "Согласовать" in accounting.get("/contracts/5").text
    assert accounting.get("/contracts/6/edit").status_code == 403
    assert accounting.get("/contracts/decisions").status_code == 403
    assert accounting.get("/contracts/1/demand").status_code == 200
    assert enter("head").get("/contracts/1/demand").status_code == 403  # accounting has a login of its own


def test_nobody_approves_their_own_and_accounting_does(head, enter, school) -> None:
    assert "Согласовать<" not in head.get("/contracts/5").text
    head.post("/contracts/5/step/approve")
    enter("accounting").post("/contracts/5/step/approve")
    with school.database.read.begin() as session:
        assert session.get_one(Contract, 5).state == "approved"


def test_a_draft_names_what_is_missing(head, school) -> None:
    with school.database.read.begin() as session:
        client_id, version = session.get_one(Contract, 1).client_id, 1
    made = head.post("/contracts/new", client_id=client_id, kind="person")
    address = made.location.removesuffix("/edit")
    page = head.get(address).text
    assert "Программа: Название" in page
    assert "До согласования не хватает" in page
    wrong = head.post(f"{address}/edit", version=version, price="много")
    assert wrong.status_code == 422
    assert "Это не сумма" in wrong.text
    saved = head.post(f"{address}/edit", version=version, price="60 000,50", parts="3", first="2026-12-01")
    assert saved.status_code == 302
    assert "60\u00a0000,50" in head.get(address).text


def test_a_hostile_template_is_refused_with_words(head) -> None:
    token = head.token()
    for content, words in ((plain("{{ cycler.x }}"), "быть не может"), (b"MZ", "не файл .docx")):
        answer = head.client.post(
            "/contracts/templates",
            data={"csrf_token": token, "kind": "act", "file": (io.BytesIO(content), "a.docx")},
        )
        assert answer.status_code == 422
        assert words in answer.text


def test_a_wish_to_end_it_fills_the_form(head, open_case, school) -> None:
    case_id = open_case("Прошу расторгнуть договор и вернуть деньги за непройденные модули?")
    page = head.get(f"/contracts/1/terminate?case_id={case_id}").text
    assert "Заполнено по сообщению клиента" in page
    assert "вернуть деньги за непройденные модули" in page


def test_nobody_approves_a_text_that_was_changed_under_their_eyes(head, enter, school) -> None:
    """Accounting reads the page; the head changes the price and asks again; the former page's press is told."""
    accounting = enter("accounting")
    contract_id = 5
    with school.database.read.begin() as session:
        version = session.get_one(Contract, contract_id).version
    assert f'name="version" value="{version}"' in accounting.get(f"/contracts/{contract_id}").text
    changed = head.post(
        f"/contracts/{contract_id}/edit", version=version, price="45000", parts="3", first="2026-12-01"
    )
    assert changed.status_code == 302
    with school.database.read.begin() as session:
        now = session.get_one(Contract, contract_id).version
    assert head.post(f"/contracts/{contract_id}/step/submit", version=now).status_code == 302
    accounting.post(f"/contracts/{contract_id}/step/approve", version=version)
    with school.database.read.begin() as session:
        contract = session.get_one(Contract, contract_id)
        assert contract.state == "approval"
        now = contract.version
    assert accounting.post(f"/contracts/{contract_id}/step/approve", version=now).status_code == 302


def test_the_card_and_its_first_line_tell_of_the_contract(head, enter, school) -> None:
    """Without sums, to SMM too, who see no contracts; the head comes from the card to a new one."""
    with school.database.read.begin() as session:
        late = session.get_one(Contract, 2)
        paid = session.scalars(select(Contract).where(Contract.kind == "offer")).one()
        late_client, paid_client, number = late.client_id, paid.client_id, late.number
    page = head.get(f"/clients/{late_client}").text
    assert number in page
    assert f"/contracts/new?client_id={late_client}" in page
    smm = enter("smm")
    page = smm.get(f"/clients/{late_client}").text
    assert "действует" in page
    assert "платёж просрочен" in page
    assert number not in page
    assert "₽" not in page
    assert "оплачено полностью" in smm.get(f"/clients/{paid_client}").text


def test_a_debt_is_restructured_handed_over_and_seen_on_the_morning(head, enter, school) -> None:
    with school.database.read.begin() as session:
        line = session.scalars(select(Instalment).where(Instalment.contract_id == 2, Instalment.no == 1)).one()
        line_id, due = line.id, line.due_on
    run_receivables(school.database, due + timedelta(days=8))
    page = head.get("/contracts/money").text
    assert f"/contracts/debts/{line_id}/restructure" in page
    moved = head.post(f"/contracts/debts/{line_id}/restructure")
    assert "/contracts/amendments/" in moved.location
    form = head.get(moved.location).text
    assert "изменение графика платежей" in form
    assert f"{due:%d.%m.%Y} 20000,00" in form
    assert head.post(f"/contracts/debts/{line_id}/hand_over").status_code == 302
    accounting = enter("accounting").get("/contracts/money").text
    assert "Переданы бухгалтерии" in accounting
    assert "передал(а) Марина Котова" in accounting
    assert f"/contracts/debts/{line_id}/write_off" in accounting
    assert "Просрочено по договорам" in head.get("/morning").text


def form_key(page: str, address: str) -> str:
    """The key of the form that leads to ``address``."""
    form = page.split(f'action="{address}"')[1].split("</form>")[0]
    return form.split('name="form_key" value="')[1].split('"')[0]


def test_a_document_of_a_form_pressed_twice_is_one(head, school) -> None:
    page = head.get("/contracts/1/documents/new?kind=reconciliation").text
    said = {
        "kind": "reconciliation", "pay.from": "2026-11-01", "pay.to": "2026-12-31",
        "form_key": form_key(page, "/contracts/1/documents/new"),
    }  # fmt: skip
    with school.database.write.begin() as session:
        seed_template(session, "reconciliation")
    for _ in range(2):
        answer = head.post("/contracts/1/documents/new", **said)
        assert answer.status_code == 302
        assert answer.location.endswith("/contracts/1#papers")
    again = form_key(head.get("/contracts/1/documents/new?kind=reconciliation").text, "/contracts/1/documents/new")
    assert again != said["form_key"]
    with school.database.read.begin() as session:
        assert session.scalar(select(func.count()).where(Document.kind == "reconciliation")) == 1


def test_two_accountants_book_the_same_money_once(head, enter, school) -> None:
    """Both have the page open: who is second is told, and sees the payment."""
    accounting = enter("accounting")
    forms = []
    for person in (head, accounting):
        page = person.get("/contracts/2").text
        part = page.split('action="/contracts/2/payments"')[1].split("</form>")[0]
        seen = part.split('name="seen" value="')[1].split('"')[0]
        key = form_key(page, "/contracts/2/payments")
        forms.append({"seen": seen, "form_key": key, "amount": "20000", "method": "card"})
    head.post("/contracts/2/payments", **forms[0])
    told = accounting.post("/contracts/2/payments", **forms[1])
    assert told.status_code == 302
    page = accounting.get("/contracts/2").text
    assert "Кто-то уже провёл платёж" in page
    assert "20\u00a0000,00" in page
    with school.database.read.begin() as session:
        assert session.scalar(select(func.count(Payment.id)).where(Payment.contract_id == 2)) == 1


def test_a_step_on_an_old_page_brings_the_page_as_it_is_now(head, enter, school) -> None:
    accounting = enter("accounting")
    with school.database.read.begin() as session:
        version = session.get_one(Contract, 5).version
    assert accounting.post("/contracts/5/step/approve", version=version).status_code == 302
    answer = accounting.post("/contracts/5/step/return", version=version, remark="нет", htmx=True)
    assert (answer.status_code, answer.headers["HX-Refresh"]) == (409, "true")
    page = accounting.get("/contracts/5").text  # what the refresh shows
    assert "Кто-то сделал шаг раньше" in page
    assert "Согласован" in page
    with school.database.read.begin() as session:
        assert session.get_one(Contract, 5).state == "approved"


def test_a_demand_has_a_door_of_its_own(head, enter, school) -> None:
    with school.database.write.begin() as session:
        seed_template(session, "demand")
    accounting = enter("accounting")
    run_receivables(school.database, DAY)
    page = accounting.get("/contracts/2").text
    assert "/contracts/2/demand" in page
    assert "/contracts/2/demand" not in head.get("/contracts/2").text
    assert "/contracts/2/demand" in accounting.get("/contracts/money").text
    form = accounting.get("/contracts/2/demand").text
    key = form_key(form, "/contracts/2/demand")
    assert accounting.post("/contracts/2/demand", form_key=key, **{"pay.due": "2026-12-20"}).status_code == 302
    assert head.get("/contracts/2/demand").status_code == 403
    assert head.get("/contracts/2/documents/new?kind=demand").status_code == 403
    with school.database.read.begin() as session:
        assert session.scalars(select(Document.state).where(Document.kind == "demand")).all() == ["made"]


def test_a_settled_termination_shows_what_is_left_to_do(head, enter, school) -> None:
    with school.database.write.begin() as session:
        session.add(
            Source(platform="getcourse", title="Школа", settings={"account": "l.getcourse.ru"}, every_seconds=60)
        )
        row = session.scalars(select(Termination)).one()
        contract_id = row.contract_id
        row.state, row.no_refund_ground, row.figures = "signed", "обучение пройдено", {"paid": 0, "kept": 0}
        row.effective_on, number = DAY, row.id
    enter("accounting").post(f"/contracts/terminations/{number}/step/no_refund")
    for address in (f"/contracts/{contract_id}", "/clients/tasks?whose=all"):
        page = head.get(address).text
        assert "Издать приказ об отчислении" in page, address
        assert "Открыть в GetCourse" in page, address
        assert 'href="https://l.getcourse.ru/pl/user/user/index"' in page, address
    with school.database.read.begin() as session:
        access = session.scalars(select(Task.id).where(Task.form_key.endswith(":access"))).one()
    head.post(f"/clients/tasks/{access}/done", next=f"/contracts/{contract_id}")
    assert "Открыть в GetCourse" not in head.get(f"/contracts/{contract_id}").text
    assert "выполнено" in head.get(f"/contracts/{contract_id}").text


def test_the_morning_names_what_the_school_owes(head, enter, school) -> None:
    with school.database.read.begin() as session:
        number = session.get_one(Contract, 2).number
    page = head.get("/morning").text.split('id="promised"')[1].split("</section>")[0]
    assert "Открыть доступ" in page
    assert f">{number}</a>" in page
    assert 'id="promised"' not in enter("smm").get("/morning").text


def test_a_passport_is_drawn_for_whoever_may_see_it(head, enter, school) -> None:
    """Neither the page with an amendment nor the forms show it to others; accounting sees that it was changed."""
    moved = head.post("/contracts/2/amendments")
    said = {"version": "1", "ground": "новый паспорт", "client.id_no": "777777", "price": "60000"}
    assert head.post(moved.location, **said).status_code == 302
    assert "777777" in head.get("/contracts/2").text
    assert "777777" in head.get(moved.location).text
    accounting = enter("accounting").get("/contracts/2").text
    assert "777777" not in accounting
    assert "••••••" in accounting


def test_the_line_of_time_says_of_a_passport_where_it_went(head, school) -> None:
    with school.database.write.begin() as session:
        seed_template(session, "consent_data")
        client_id = session.get_one(Contract, 2).client_id
    asked = {f"consent.{name}": "—" for name in ("purpose", "data", "actions", "term", "withdrawal", "processors")}
    made = head.post("/contracts/2/documents/new", kind="consent_data", **asked)
    assert made.status_code == 302
    with school.database.read.begin() as session:
        number = session.scalars(select(Document.id).where(Document.kind == "consent_data")).one()
    assert head.get(f"/contracts/documents/{number}.pdf").status_code == 200
    page = head.get(f"/clients/{client_id}").text
    assert "Паспорт: серия и номер, для документа по договору" in page
    assert "Просмотрено закрытое поле: Согласие на обработку ПДн" in page
