"""A school with requisites, norms, templates and people, and a client who wants to learn."""

from collections.abc import Callable
from datetime import date

import pytest
from cryptography.fernet import Fernet

from models import Contract, Staff
from models.database import Database
from services.accounts import create_staff
from services.contracts import acts
from services.contracts.drafts import Changes, edit_draft, open_draft
from services.contracts.legal import seed_norms
from services.crm.clients import create_client
from services.documents.organisation import save_organisation
from services.documents.templates import seed_template
from services.money.schedules import even_schedule
from services.rights import DESK, Actor, actor_of
from services.secrets import Keyring

TODAY = date(2026, 11, 26)
ORGANISATION = {
    "org.name_full": "ООО «Лингва-Про»",
    "org.name_short": "Лингва-Про",
    "org.party_name": "Исполнитель",
    "org.inn": "7707083893",
    "org.kpp": "770701001",
    "org.ogrn": "1027700132195",
    "org.address_legal": "Москва, Летниковская ул., 10",
    "org.phone": "+7 800 555-35-35",
    "org.email": "office@school.example",
    "org.bank_name": "ПАО «Учебный»",
    "org.bik": "044525225",
    "org.acc": "40702810900000000001",
    "org.corr": "30101810400000000225",
    "org.licence_no": "Л035-01298-77/00000001",
    "org.licence_date": "2023-02-10",
    "org.licence_body": "Департамент образования и науки города Москвы",
    "org.vat_mode": "НДС не облагается",
    "sign.position": "генеральный директор",
    "sign.name": "Орлова Ирина Павловна",
    "sign.basis": "Устав",
    "more.city": "Москва",
    "more.licence": "yes",
}
PROGRAM = {
    "program.name": "Английский для работы", "program.kind": "дополнительная общеобразовательная",
    "program.level": "дополнительное образование", "program.direction": "социально-гуманитарная",
    "program.hours": "72", "program.form": "заочная, с дистанционными технологиями", "program.term": "6 месяцев",
    "program.start": "2026-12-01", "program.end": "2027-05-31", "program.doc_kind": "сертификат",
    "program.services": "разбор резюме", "program.meetings": "по средам", "contract.pay_order": "по графику",
    "contract.pep": "код из SMS",
}  # fmt: skip
PERSON = {
    "client.address": "Тула, Мира, 5",
    "client.phone": "+7 910 000-00-01",
    "client.email": "anna@mail.example",
    "client.birth_date": "1990-05-17",
    "client.id_type": "паспорт РФ",
    "client.id_series": "7010",
    "client.id_no": "123456",
    "client.id_issued_by": "УМВД России по Тульской области",
    "client.inn": "710500000000",
}


class Office:
    """The school's people and short ways to a contract in any state."""

    def __init__(self, database: Database, cast) -> None:
        self.database, self.cast, self.head = database, cast, cast.head
        self.keyring = Keyring([Fernet.generate_key()])
        with database.write.begin() as session:
            seed_norms(session)
            save_organisation(session, cast.head, ORGANISATION)
            self.manager = self._staff(session, "manager@school.example", "Яна Клиентова", "client_manager")
            self.accountant = self._staff(session, "acc@school.example", "Вера Полянская", "manager", "accounting")
            self.client_id = create_client(session, DESK, name="Яр Анна Сергеевна", contact="+7 910 000-00-01").id
            seed_template(session, "contract_person")

    def _staff(self, session, email: str, name: str, role: str, unit: str | None = None) -> Actor:
        person = create_staff(session, DESK, email=email, name=name, roles=(role,), department=unit)
        session.expire_all()
        return actor_of(session.get_one(Staff, person.id))

    def draft(self, session, *, price: int = 6_000_000, parts: int = 3, **more: object) -> Contract:
        contract = open_draft(session, self.manager, self.client_id, kind=more.pop("kind", "person"), dated=TODAY)
        changes = Changes(
            price=price,
            schedule=even_schedule(price, date(2026, 12, 1), parts),
            fields={**PROGRAM, **PERSON},
            **more,
        )
        return edit_draft(session, self.manager, self.keyring, contract.id, contract.version, changes)

    def approved(self, session, **more: object) -> Contract:
        contract = self.draft(session, **more)
        acts.submit(session, self.manager, self.keyring, contract.id)
        return acts.approve(session, self.accountant, contract.id)

    def sent(self, session, **more: object) -> Contract:
        return acts.send(session, self.manager, self.approved(session, **more).id, today=TODAY)

    def signed(self, session, **more: object) -> Contract:
        contract = self.sent(session, **more)
        return acts.sign(
            session, self.manager, contract.id, signature="paper", today=TODAY, evidence={"scan": True}
        )


@pytest.fixture
def office(database: Database, cast) -> Office:
    return Office(database, cast)


@pytest.fixture
def in_force(office: Office) -> Callable[..., int]:
    """Makes a contract in force; its id."""

    def _in_force(**more: object) -> int:
        with office.database.write.begin() as session:
            return office.signed(session, **more).id

    return _in_force
