"""Invented contracts of the training school, made through the same doors as real ones, in every common state."""

from collections.abc import Mapping
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Contract, Staff
from services.accounts import find_by_email
from services.contracts import acts, amendments, terminations
from services.contracts.drafts import Changes, edit_draft, open_draft
from services.contracts.legal import seed_norms
from services.contracts.offers import accept_order, read_order
from services.crm.clients import create_client
from services.documents.organisation import read_organisation, save_organisation
from services.documents.templates import seed_template
from services.money.payments import add_payment
from services.money.rendered import put_record
from services.money.schedules import even_schedule
from services.rights import DESK, Actor, actor_of
from services.secrets import Keyring

ORGANISATION: Mapping[str, str] = {
    "org.name_full": "ООО «Учебная школа языков»",
    "org.name_short": "Учебная школа",
    "org.party_name": "Исполнитель",
    "org.inn": "7707083893",
    "org.kpp": "770701001",
    "org.ogrn": "1027700132195",
    "org.address_legal": "Москва, Учебный переулок, 1",
    "org.phone": "+7 800 555-00-00",
    "org.email": "office@school.example",
    "org.bank_name": "ПАО «Учебный»",
    "org.bik": "044525225",
    "org.acc": "40702810900000000001",
    "org.corr": "30101810400000000225",
    "org.licence_no": "Л035-00000-77/00000000",
    "org.licence_date": "2023-02-10",
    "org.licence_body": "Департамент образования (вымышленный)",
    "org.vat_mode": "НДС не облагается",
    "sign.position": "генеральный директор",
    "sign.name": "Орлова Ирина Павловна",
    "sign.basis": "Устав",
    "more.city": "Москва",
    "more.licence": "yes",
}
PROGRAM = {
    "program.kind": "дополнительная общеобразовательная",
    "program.level": "дополнительное образование",
    "program.direction": "социально-гуманитарная",
    "program.hours": "72",
    "program.form": "заочная, с дистанционными технологиями",
    "program.term": "6 месяцев",
    "program.doc_kind": "сертификат",
    "contract.pay_order": "по графику",
    "contract.pep": "код из SMS на телефон, названный в договоре",
}
STUDENTS = (
    ("Соколова Вера Игоревна", "+7 900 100-20-01", "Английский для работы", "paid"),
    ("Мельников Артём Олегович", "+7 900 100-20-02", "Испанский с нуля", "late"),
    ("Гусева Полина Андреевна", "+7 900 100-20-03", "Английский для работы", "amended"),
    ("Ершов Денис Ильич", "+7 900 100-20-04", "Разговорный клуб", "ending"),
    ("Лапина Ольга Юрьевна", "+7 900 100-20-05", "Английский для работы", "approval"),
    ("Тихонов Павел Сергеевич", "+7 900 100-20-06", "Испанский с нуля", "draft"),
)
PRICE = 6_000_000


def seed_contracts(session: Session, keyring: Keyring, today: date) -> None:
    """Makes them once; safe to repeat. Orders of the school come as offers, before or after."""
    if session.scalar(select(Contract.id).where(Contract.kind == "person").limit(1)):
        return
    seed_norms(session)
    head, accountant = (_actor(session, f"{who}@school.example") for who in ("head", "accounting"))
    if head is None or accountant is None:
        return
    if not read_organisation(session)["org"]:
        save_organisation(session, head, ORGANISATION)
    for kind in ("contract_person", "acceptance"):
        seed_template(session, kind)
    for number, (name, phone, program, until) in enumerate(STUDENTS, 1):
        client = create_client(session, DESK, name=name, contact=phone, origin="training")
        contract = _draft(session, head, keyring, client.id, program, phone, today)
        if until == "draft":
            continue
        acts.submit(session, head, keyring, contract.id)
        if until == "approval":
            continue
        acts.approve(session, accountant, contract.id)
        acts.send(session, head, contract.id, today=today)
        acts.sign(session, head, contract.id, signature="paper", today=today, evidence={"scan": True})
        if until != "late":
            add_payment(
                session, accountant, contract, amount=PRICE // 3, paid_on=today, external_id=f"example-{number}"
            )
        _further(session, head, accountant, keyring, contract, until, today)
    _order(session, today)


def _actor(session: Session, email: str) -> Actor | None:
    staff = find_by_email(session, email)
    return actor_of(session.get_one(Staff, staff.id)) if staff is not None else None


def _draft(
    session: Session, head: Actor, keyring: Keyring, client_id: int, program: str, phone: str, today: date
) -> Contract:
    contract = open_draft(session, head, client_id, kind="person", dated=today - timedelta(days=20))
    fields = {
        **PROGRAM, "program.name": program, "program.start": (today - timedelta(days=15)).isoformat(),
        "program.end": (today + timedelta(days=165)).isoformat(), "client.address": "Тула, ул. Мира, 5",
        "client.phone": phone, "client.email": "student@mail.example", "client.birth_date": "1990-05-17",
        "client.id_type": "паспорт РФ", "client.id_series": "7000", "client.id_no": "000000",
        "client.id_issued_by": "УМВД (вымышленное)",
    }  # fmt: skip
    changes = Changes(
        price=PRICE, schedule=even_schedule(PRICE, today - timedelta(days=10), 3), fields=fields,
        ends_on=today + timedelta(days=165),
    )  # fmt: skip
    return edit_draft(session, head, keyring, contract.id, contract.version, changes)


def _further(
    session: Session, head: Actor, accountant: Actor, keyring: Keyring, contract: Contract, until: str, today: date
) -> None:
    if until == "paid":
        put_record(session, head, contract, period=f"{today:%Y-%m}", volume="1 модуль", amount=PRICE // 6)
    if until == "amended":
        row = amendments.open_amendment(session, head, contract.id, dated=today)
        amendments.edit_amendment(
            session, head, keyring, row.id, row.version, fields={"client.address": "Орёл, Новая ул., 1"},
            ground="заявление заказчика о переезде",
        )  # fmt: skip
        amendments.submit_amendment(session, head, row.id)
        amendments.decide_amendment(session, accountant, row.id, agreed=True)
        amendments.send_amendment(session, head, row.id, today=today)
        amendments.sign_amendment(session, head, keyring, row.id, signature="paper", today=today)
    if until == "ending":
        row_id = terminations.open_termination(
            session, head, contract.id, ground="consumer", received_on=today - timedelta(days=1),
            facts="Прошу расторгнуть договор и вернуть деньги за непройденные модули",
        ).id  # fmt: skip
        terminations.start_calculation(session, head, row_id)


def _order(session: Session, today: date) -> None:
    """A paid order that is a contract by itself."""
    accept_order(
        session,
        read_order(
            {
                "number": "GC-1001", "payment_id": "P-1001", "name": "Носова Ирина", "email": "nosova@mail.example",
                "paid_at": f"{today - timedelta(days=2)}T19:40:00", "price": "4900", "paid": "4900",
                "offer_version": "7", "offer_hash": "5e" * 32, "address": "203.0.113.7", "consents": "ПДн № 12",
                "program": "Разговорный клуб",
            }
        ),
    )  # fmt: skip
