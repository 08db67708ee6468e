"""The kinds of documents: what each must name, how it is numbered, which kits hold it (domain.md §7.1–7.2)."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """``needs``: placeholders without which a template of this kind is refused; ``series``: numbered in it.

    ``asks``: the fields that a person fills in when making one. ``forbids``: words its text may not hold.
    """

    code: str
    needs: tuple[str, ...]
    series: str = ""
    asks: tuple[str, ...] = ()
    forbids: tuple[str, ...] = ()
    of: str = "contract"  # contract · amendment · termination: what it is made from


_CONSENT_WORDS = ("согласие на обработку персональных данных",)
_REFUND_TRAPS = (
    "не возвращаем", "возврату не подлежит", "возврат не производится", "услуга считается оказанной с момента",
    "возврат только в течение",
)  # fmt: skip
"""Terms that limit a consumer's refund are void and cost the school dear (R-10)."""

_BASE = (
    "contract.no contract.date contract.city org.name_full sign.name sign.basis contract.price contract.pay_order"
)
_TEACH = (
    "org.address_legal program.name program.kind program.level program.direction program.hours program.form "
    "program.term program.doc_kind pay.schedule org.licence_no org.licence_date org.licence_body"
)
_WHO = "client.full client.address client.phone"


def _kind(code: str, needs: str, series: str = "", asks: str = "", **more: object) -> Kind:
    forbids = (*_REFUND_TRAPS, *(_CONSENT_WORDS if code.startswith("contract_") else ()))
    extra = more.pop("forbids", ())
    assert isinstance(extra, tuple)
    of = str(more.pop("of", "contract"))
    return Kind(code, tuple(needs.split()), series, tuple(asks.split()), (*forbids, *extra), of)


_ALL = (
    _kind("contract_person", f"{_BASE} {_TEACH} {_WHO}"),
    _kind("contract_three", f"{_BASE} {_TEACH} student.full student.address student.phone guardian.full "
          "guardian.authority guardian.address guardian.phone"),
    _kind("contract_org", f"{_BASE} {_TEACH} corp.name_full corp.inn corp.address corp.signer_name "
          "corp.signer_position corp.signer_basis corp.students"),
    _kind("contract_consulting", f"{_BASE} {_WHO} program.services program.meetings", forbids=("обучающийся",)),
    _kind("acceptance", "contract.no contract.offer_version contract.offer_hash contract.accept_at "
          "contract.accept_payment contract.accept_email pay.paid client.full"),
    _kind("annex", "doc.annex_no doc.title doc.content contract.no contract.date",
          "annex", "doc.title doc.content"),
    _kind("amendment", "amend.no amend.date amend.ground amend.changes amend.effective contract.no contract.date "
          "org.name_full client.full", of="amendment"),
    _kind("termination", "contract.no contract.date end.date end.ground end.delivered end.delivered_sum end.paid "
          "end.expenses end.refund end.refund_date end.access_date", of="termination"),
    _kind("notice", "contract.no contract.date end.ground end.norm end.demand_no end.demand_date end.debt "
          "end.effect_date end.delivery client.full", "out",
          "end.norm end.demand_no end.demand_date end.delivery", of="termination"),
    _kind("application", "doc.reg_no doc.date client.full contract.no claim.request claim.reason", "in",
          "claim.request claim.reason pay.details"),
    _kind("demand", "doc.reg_no contract.no contract.date pay.overdue pay.debt pay.due", "out", "pay.due"),
    _kind("claim_answer", "claim.in_no claim.date claim.facts claim.decision claim.norms claim.appeal client.full",
          "out", "claim.in_no claim.date claim.facts claim.decision claim.norms claim.sum claim.appeal"),
    _kind("invoice", "doc.reg_no doc.date payer.full pay.lines pay.total pay.due pay.vat", "invoice", "pay.due"),
    _kind("act", "doc.reg_no doc.date contract.no pay.period pay.lines pay.total pay.vat payer.full", "act",
          "pay.period"),
    _kind("reconciliation", "contract.no payer.full pay.from pay.to pay.turnover pay.balance", "act",
          "pay.from pay.to"),
    _kind("consent_data", "client.full client.address consent.purpose consent.data consent.actions consent.term "
          "consent.withdrawal org.name_full", "consent",
          "consent.purpose consent.data consent.actions consent.term consent.withdrawal consent.processors"),
    _kind("consent_ads", "client.full consent.channels consent.term consent.withdrawal org.name_full", "consent",
          "consent.channels consent.term consent.withdrawal"),
    _kind("consent_publication", "client.full consent.data consent.purpose consent.channels consent.conditions "
          "consent.term consent.withdrawal org.name_full", "consent",
          "consent.data consent.purpose consent.channels consent.conditions consent.term consent.withdrawal"),
    _kind("order_enrol", "order.no order.date order.ground order.students program.name", "order", "order.ground"),
    _kind("order_expel", "order.no order.date order.ground order.students program.name", "order", "order.ground"),
    _kind("study_certificate", "doc.reg_no doc.date student.full student.birth_date program.name order.no "
          "order.date doc.modules", "certificate", "order.no order.date doc.addressee"),
    _kind("payment_certificate", "doc.reg_no doc.year doc.correction org.name_full org.inn payer.full payer.inn "
          "payer.birth_date student.full pay.year_sum", "certificate", "doc.year"),
)  # fmt: skip
KINDS: Mapping[str, Kind] = {kind.code: kind for kind in _ALL}

PAPERS = (
    "program", "questionnaire", "education_copy", "guarantee", "claim", "calculation", "refund_payment",
    "grade_sheet", "protocol", "education_document", "review", "students_list", "other",
)  # fmt: skip
"""Papers without a template here: a tick with a file that somebody has put in."""

CONTRACT_KINDS: Mapping[str, str] = {
    "person": "contract_person",
    "three": "contract_three",
    "organisation": "contract_org",
    "offer": "acceptance",
    "consulting": "contract_consulting",
}
"""Kind of a contract → the document that is its text."""

KITS: Mapping[str, tuple[str, ...]] = {
    "start": ("contract", "program", "questionnaire", "consent_data", "education_copy", "order_enrol"),
    "start_plain": ("contract", "consent_data"),
    "corporate": ("contract", "students_list", "invoice", "act"),
    "finish": ("grade_sheet", "protocol", "education_document", "act", "review", "consent_publication"),
    "termination": ("application", "calculation", "termination|notice", "order_expel", "study_certificate",
                    "refund_payment"),
}  # fmt: skip
"""«contract» stands for the text of the contract itself; «a|b» is satisfied by either."""
