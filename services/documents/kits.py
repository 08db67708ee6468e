"""Kits: which papers belong together, what of them is there, what is missing (domain.md §7.2)."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from models import Contract, Document
from services.documents.issuing import documents_of, is_outdated
from services.documents.kinds import CONTRACT_KINDS, KINDS, KITS


@dataclass(frozen=True, slots=True)
class Item:
    """``kind`` to make or to put in; ``document`` when it is there; ``can_make``: from a template."""

    kind: str
    document: Document | None
    can_make: bool


@dataclass(frozen=True, slots=True)
class Kit:
    """``ready`` of ``items`` are there."""

    code: str
    items: tuple[Item, ...]

    @property
    def ready(self) -> int:
        return sum(item.document is not None for item in self.items)


def kits_of(session: Session, contract: Contract, *, is_ending: bool) -> list[Kit]:
    """The kits that the contract's kind and state ask for."""
    codes = [
        "corporate" if contract.kind == "organisation" else "start" if _gives_document(contract) else "start_plain"
    ]
    if contract.state == "fulfilled":
        codes.append("finish")
    if is_ending or contract.state == "terminated":
        codes.append("termination")
    there: dict[str, Document] = {}
    for row in documents_of(session, contract.id):
        if row.state == "made" and not is_outdated(contract, row):
            there.setdefault(row.kind, row)
    return [Kit(code, tuple(_item(contract, kinds, there) for kinds in KITS[code])) for code in codes]


def _gives_document(contract: Contract) -> bool:
    return bool(contract.terms.get("program", {}).get("doc_kind")) and contract.kind != "offer"


def _item(contract: Contract, kinds: str, there: dict[str, Document]) -> Item:
    wanted = [CONTRACT_KINDS[contract.kind] if kind == "contract" else kind for kind in kinds.split("|")]
    found = next((there[kind] for kind in wanted if kind in there), None)
    return Item(found.kind if found else wanted[0], found, wanted[0] in KINDS)
