"""Every kind of document from a complete record; a field taken out is named; numbers have no gap."""

import io
import threading
import zipfile
from datetime import date

import pytest
from docx import Document as Docx
from sqlalchemy import select

from models import Document, Instalment
from services.accounts import create_staff
from services.contracts import acts, amendments, terminations
from services.contracts.drafts import Changes, edit_draft, open_draft
from services.contracts.offers import accept_order, read_order
from services.documents import issuing, kits
from services.documents.files import get_file
from services.documents.kinds import CONTRACT_KINDS, KINDS
from services.documents.organisation import save_organisation
from services.documents.placeholders import read_template
from services.documents.starters.build import build
from services.documents.templates import add_template, approve_template, check_upload, seed_template, template_for
from services.errors import Forbidden, Refused
from services.money.payments import add_payment
from services.money.rendered import put_record
from services.money.schedules import even_schedule
from services.rights import DESK
from tests.services.contracts.conftest import ORGANISATION, PERSON, PROGRAM, TODAY, Office

GUARDIAN = {
    "guardian.full": "Яр Елена Викторовна",
    "guardian.relation": "мать",
    "guardian.authority": "свидетельство о рождении I-ТЛ 123456",
    "guardian.address": "Тула, Мира, 5",
    "guardian.phone": "+7 910 000-00-02",
    "student.full": "Яр Пётр Олегович",
    "student.birth_date": "2012-03-04",
    "student.address": "Тула, Мира, 5",
    "student.phone": "+7 910 000-00-03",
}
CORP = {
    "corp.name_full": "ООО «Полюс»",
    "corp.inn": "7707083893",
    "corp.kpp": "770701001",
    "corp.ogrn": "1027700132195",
    "corp.address": "Москва, Тверская, 1",
    "corp.phone": "+7 495 000-00-00",
    "corp.bank_name": "ПАО «Учебный»",
    "corp.bik": "044525225",
    "corp.acc": "40702810900000000002",
    "corp.signer_name": "Зуев Павел Ильич",
    "corp.signer_position": "директор",
    "corp.signer_basis": "Устав",
}
ASKED = {
    "doc.title": "Программа обучения", "doc.content": "Шесть модулей по двенадцать часов.",
    "end.norm": "273-ФЗ, ст. 61", "end.demand_no": "1-26", "end.demand_date": "2026-11-01",
    "end.delivery": "заказное письмо", "claim.request": "расторгнуть договор", "claim.reason": "переезд",
    "pay.details": "р/с 40817", "pay.due": "2027-02-01", "claim.in_no": "7", "claim.date": "2026-11-20",
    "claim.facts": "занятие перенесено дважды", "claim.decision": "вернуть часть",
    "claim.norms": "ЗоЗПП, ст. 29",
    "claim.sum": "150000", "claim.appeal": "в суд по месту жительства", "pay.period": "2026-11",
    "pay.from": "2026-11-01", "pay.to": "2026-12-31", "consent.purpose": "участие в программе",
    "consent.data": "ФИО, почта", "consent.actions": "хранение", "consent.term": "один год",
    "consent.withdrawal": "письмом на почту", "consent.channels": "почта", "consent.conditions": "без передачи",
    "order.ground": "договор", "order.no": "3", "order.date": "2026-11-25", "doc.addressee": "работодатель",
    "doc.year": "2026",
}  # fmt: skip


@pytest.fixture
def office(database, cast) -> Office:
    return Office(database, cast)


def contract_of_kind(office, session, kind: str):
    """A signed contract of this kind with all that its documents ask for."""
    seed_template(session, CONTRACT_KINDS[kind])
    contract = open_draft(session, office.manager, office.client_id, kind=kind, dated=TODAY)
    more = {"three": GUARDIAN, "organisation": CORP}.get(kind, {})
    students = [
        {"full": "Ким Олег", "birth_date": "1991-02-03", "email": "kim@polus.example", "program": "Английский"}
    ]
    changes = Changes(
        price=6_000_000, schedule=even_schedule(6_000_000, date(2026, 11, 1), 3),
        fields={**PROGRAM, **(PERSON if kind != "organisation" else {}), **more},
        students=students if kind == "organisation" else None,
    )  # fmt: skip
    edit_draft(session, office.manager, office.keyring, contract.id, contract.version, changes)
    acts.submit(session, office.manager, office.keyring, contract.id)
    acts.approve(session, office.accountant, contract.id)
    acts.send(session, office.manager, contract.id, today=TODAY)
    acts.sign(session, office.manager, contract.id, signature="paper", today=TODAY, evidence={"scan": True})
    return contract


def order(**more: str):
    row = {
        "number": "A-17", "payment_id": "P-900", "name": "Зорина Ольга", "email": "zorina@mail.example",
        "phone": "+7 912 111-22-33", "paid_at": "2026-11-25T21:30:00", "price": "4900,00", "paid": "4900",
        "offer_version": "7", "offer_hash": "ab" * 32, "address": "203.0.113.7", "consents": "ПДн № 12",
        "program": "Клуб разговорного английского", **more,
    }  # fmt: skip
    return read_order(row)


def record_for(office, session, kind: str):
    """(contract, amendment, termination) from which a document of ``kind`` is made."""
    made_of = {text: name for name, text in CONTRACT_KINDS.items()}
    if kind == "acceptance":
        return accept_order(session, order()), None, None
    contract = contract_of_kind(office, session, made_of.get(kind, "person"))
    paid = 1_000_000 if kind == "demand" else 3_000_000
    add_payment(session, office.accountant, contract, amount=paid, paid_on=TODAY)
    put_record(session, office.manager, contract, period="2026-11", volume="2 модуля", amount=2_000_000)
    amendment = termination = None
    if kind == "amendment":
        amendment = amendments.open_amendment(session, office.manager, contract.id, dated=TODAY)
        amendments.edit_amendment(
            session, office.manager, office.keyring, amendment.id, amendment.version, ground="заявление",
            fields={"client.address": "Орёл, Новая, 1"}, price=5_000_000,
            schedule=even_schedule(5_000_000, date(2027, 1, 1), 2),
        )  # fmt: skip
    if kind in ("termination", "notice"):
        termination = terminations.open_termination(
            session, office.manager, contract.id, received_on=TODAY,
            ground="consumer" if kind == "termination" else "school",
            initiator="client" if kind == "termination" else "school",
        )  # fmt: skip
        terminations.start_calculation(session, office.manager, termination.id)
        terminations.save_calculation(
            session, office.accountant, termination.id, termination.version, today=TODAY, facts="2 модуля из 6",
            delivered=1_000_000 if kind == "termination" else 4_000_000, effective_on=TODAY,
            expenses=[{"name": "Пособия", "document": "накладная 1", "sum": 100_000}],
        )  # fmt: skip
    return contract, amendment, termination


def maker(office, kind: str):
    """A demand is accounting's alone."""
    return office.accountant if kind == "demand" else office.manager


def words_of(docx: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(docx)) as package:
        return " ".join(package.read(name).decode() for name in package.namelist() if name.startswith("word/"))


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_from_a_complete_record(office, database, kind, monkeypatch) -> None:
    if not database.is_sqlite and kind not in ("contract_person", "invoice"):
        pytest.skip("what differs between databases is shown by two kinds")
    with database.write.begin() as session:
        seed_template(session, kind)
        contract, amendment, termination = record_for(office, session, kind)
        ready = issuing.prepare(
            session, maker(office, kind), office.keyring, contract, kind, dated=TODAY, given=ASKED,
            amendment=amendment, termination=termination,
        )  # fmt: skip
    document_id = issuing.run_make(database, maker(office, kind), ready)
    with database.write.begin() as session:
        row, media, pdf = issuing.file_of(session, office.manager, document_id, "pdf")
        docx = get_file(session, row.docx_id).content
        assert row.state == "made"
        assert media == "application/pdf"
        assert pdf.startswith(b"%PDF")
        assert b"/FontFile2" in pdf or b"/FontFile3" in pdf or b"FlateDecode" in pdf
        text = words_of(docx)
        assert not {"{{", "{%", "}}"} & {text[i : i + 2] for i in range(len(text))}
        shown = " ".join(p.text for p in Docx(io.BytesIO(docx)).paragraphs)
        assert "None" not in shown
        if KINDS[kind].series and kind != "annex":
            assert row.number == "1-26"
        if {"doc.reg_no", "order.no"} & set(KINDS[kind].needs) and kind != "study_certificate":
            assert "1-26" in text
        _without_one_field(office, session, contract, kind, amendment, termination, monkeypatch)


def _without_one_field(office, session, contract, kind, amendment, termination, monkeypatch) -> None:
    """With a field taken out: refused, naming it, and no number is spent."""
    before = session.query(Document).count()
    real = issuing._values
    for name in ("org.name_full", "contract.no"):
        tokens = template_for(session, kind, TODAY).tokens
        group, field = name.split(".")
        if not any(token[:3] == ["field", group, field] for token in tokens):
            continue

        def without(*given, group=group, field=field):
            values = real(*given)
            values[group].pop(field, None)
            return values

        monkeypatch.setattr(issuing, "_values", without)
        with pytest.raises(Refused) as refused:
            issuing.prepare(
                session, maker(office, kind), office.keyring, contract, kind, dated=TODAY, given=ASKED,
                amendment=amendment, termination=termination,
            )  # fmt: skip
        assert refused.value.code == "document.missing"
        assert refused.value.data["fields"] == [name]
    assert session.query(Document).count() == before


def test_numbers_have_no_gap_whoever_takes_them(office, database) -> None:
    """Eight people at once, one of them failing: each series runs on without a hole."""
    with database.write.begin() as session:
        contract_id = office.signed(session).id
        seed_template(session, "application")
        seed_template(session, "order_enrol")
    errors: list[Exception] = []

    def take(kind: str, is_lost: bool) -> None:
        try:
            with database.write.begin() as session:
                contract = session.get_one(type(office_contract), contract_id)
                issuing.prepare(session, office.manager, office.keyring, contract, kind, dated=TODAY, given=ASKED)
                if is_lost:
                    raise KeyError(kind)
        except KeyError:
            pass
        except Exception as error:
            errors.append(error)

    with database.read.begin() as session:
        from models import Contract

        office_contract = session.get_one(Contract, contract_id)
    jobs = [("application", n == 2) for n in range(5)] + [("order_enrol", n == 0) for n in range(4)]
    threads = [threading.Thread(target=take, args=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    with database.read.begin() as session:
        for series, count in (("in.2026", 4), ("order.2026", 3)):
            serials = session.scalars(select(Document.serial).where(Document.series == series))
            assert sorted(serials) == list(range(1, count + 1))


def test_contract_numbers_have_no_gap_either(office, database) -> None:
    with database.write.begin() as session:
        ids = [office.draft(session).id for _ in range(6)]

    def submit(contract_id: int) -> None:
        with database.write.begin() as session:
            acts.submit(session, office.manager, office.keyring, contract_id)

    threads = [threading.Thread(target=submit, args=(one,)) for one in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read.begin() as session:
        from models import Contract

        numbers = sorted(session.scalars(select(Contract.number)))
        assert numbers == [f"2026-{no:05d}" for no in range(1, 7)]


def test_a_failed_drawing_keeps_its_number(office, database, monkeypatch) -> None:
    with database.write.begin() as session:
        contract = office.signed(session)
        seed_template(session, "application")
        ready = issuing.prepare(
            session, office.manager, office.keyring, contract, "application", dated=TODAY, given=ASKED
        )
    with pytest.raises(Refused):
        issuing.run_make(database, office.manager, type(ready)(ready.document_id, b"PK", ready.values, {}))
    with database.write.begin() as session:
        row = session.get_one(Document, ready.document_id)
        assert (row.state, row.number) == ("failed", "1-26")
        issuing.annul(session, office.manager, row.id, "не вышло")
        assert row.serial == 1


def test_a_paid_order_is_in_force_by_itself(office, database) -> None:
    with database.write.begin() as session:
        contract = accept_order(session, order())
        assert (contract.state, contract.kind, contract.number) == ("force", "offer", "2026-00001")
        assert contract.evidence["payment"] == "P-900"
        assert contract.evidence["at"] == "2026-11-25T18:30:00+00:00"
        assert session.scalars(select(Instalment.paid)).one() == 490_000
        assert accept_order(session, order()).id == contract.id
        with pytest.raises(Refused, match=r"order\.incomplete"):
            order(price="четыре")
        with pytest.raises(Refused):
            accept_order(session, order(number="A-18", offer_hash=""))


def test_a_template_lives_through_its_versions(office, database) -> None:
    content = build("contract_person")
    checked = check_upload("contract_person", "договор.docx", content)
    with database.write.begin() as session:
        row = add_template(session, office.manager, checked, valid_from=date(2026, 12, 1))
        assert (row.version, row.state) == (2, "approval")
        assert template_for(session, "contract_person", date(2026, 12, 5)).version == 1
        with pytest.raises(Forbidden):
            approve_template(session, office.manager, row.id)
        approve_template(session, office.head, row.id)
        assert template_for(session, "contract_person", date(2026, 12, 5)).version == 2
        assert template_for(session, "contract_person", TODAY).version == 1


def test_a_head_approves_their_own_template_only_where_there_is_no_other_head(office, database) -> None:
    checked = check_upload("contract_person", "договор.docx", build("contract_person"))

    def add(session, actor) -> int:
        return add_template(session, actor, checked, valid_from=date(2026, 12, 1)).id

    with database.write.begin() as session:
        alone = approve_template(session, office.head, add(session, office.head))
        assert (alone.state, alone.approver_id) == ("force", office.head.staff_id)
    with database.write.begin() as session:
        create_staff(session, DESK, email="second@school.example", name="Инна Вяз", roles=["head"])
    with database.write.begin() as session:
        own = add(session, office.head)
        with pytest.raises(Refused, match=r"template\.own"):
            approve_template(session, office.head, own)
        assert approve_template(session, office.head, add(session, office.manager)).state == "force"


@pytest.mark.parametrize(
    ("kind", "line", "code"),
    [
        ("contract_person", "Согласие на обработку персональных данных дано в договоре.", "template.words"),
        ("contract_person", "Деньги возврату не подлежит.", "template.words"),
        ("contract_consulting", "Обучающийся обязан.", "template.words"),
        ("act", "Просто текст", "template.lacks"),
    ],
)
def test_what_a_template_may_not_say(kind, line, code) -> None:
    document = Docx(io.BytesIO(build("contract_person" if kind == "act" else kind)))
    document.add_paragraph(line)
    out = io.BytesIO()
    document.save(out)
    with pytest.raises(Refused, match=code.replace(".", r"\.")):
        check_upload(kind, "x.docx", out.getvalue())


def test_the_kit_shows_what_is_missing(office, database) -> None:
    with database.write.begin() as session:
        contract = office.signed(session)
        kit = kits.kits_of(session, contract, is_ending=False)[0]
        assert (kit.code, kit.ready, len(kit.items)) == ("start", 0, 6)
        issuing.put_paper(
            session, office.manager, contract, "education_copy", content=b"%PDF-1.7 scan", note="", dated=TODAY
        )
        with pytest.raises(Refused, match=r"file\.kind"):
            issuing.put_paper(session, office.manager, contract, "program", content=b"MZ", note="", dated=TODAY)
        kit = kits.kits_of(session, contract, is_ending=True)[0]
        assert [item.kind for item in kit.items if item.document] == ["education_copy"]
        assert [kit.code for kit in kits.kits_of(session, contract, is_ending=True)] == ["start", "termination"]


@pytest.mark.parametrize("kind", KINDS)
def test_each_starter_is_a_template_of_its_kind(kind) -> None:
    from services.documents.placeholders import fields_of

    assert set(KINDS[kind].needs) <= fields_of(read_template(build(kind)))


def test_no_licence_leaves_its_clause_out(office, database) -> None:
    with database.write.begin() as session:
        plain = {name: value for name, value in ORGANISATION.items() if not name.startswith("org.licence")}
        save_organisation(session, office.head, {**plain, "more.licence": "no"})
        contract = office.signed(session)
        ready = issuing.prepare(session, office.manager, office.keyring, contract, "contract_person", dated=TODAY)
    issuing.run_make(database, office.manager, ready)
    with database.read.begin() as session:
        row = session.get_one(Document, ready.document_id)
        assert "лицензии" not in words_of(get_file(session, row.docx_id).content)
