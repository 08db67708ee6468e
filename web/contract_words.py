"""Words of contracts, documents and money: from each code of the services to what a screen says."""

from collections.abc import Mapping

from web.language import Lazy, _l

ERRORS: Mapping[str, Lazy] = {
    "amendment.active": _l("Another amendment is under way: finish or annul it first."),
    "amendment.closed": _l("This can be done only while the contract is signed or in force."),
    "amendment.empty": _l("The amendment changes nothing yet."),
    "amendment.form": _l("An amendment is signed in the same form as the contract or a stronger one."),
    "amendment.ground": _l("Say on what ground the contract is changed."),
    "amendment.price": _l("After the signature the price rises only by indexation: name it as the ground."),
    "amendment.unknown": _l("There is no such amendment."),
    "approval.changed": _l("The text was changed after it was agreed: send it for approval again."),
    "approval.own": _l("Nobody approves what is their own: accounting does."),
    "approval.remark": _l("Write what is to be changed."),
    "contract.ending": _l("A termination is under way: finish or withdraw it first."),
    "contract.field": _l("«%(word)s» is no field of a contract."),
    "contract.frozen": _l("The contract is signed: only an amendment changes it."),
    "contract.funding": _l("Choose who gives the instalments."),
    "contract.incomplete": _l("The contract is not complete: see what is missing."),
    "contract.kind": _l("Choose the kind of the contract."),
    "contract.pep": _l("For a simple signature the contract must hold the agreement about it."),
    "contract.price": _l("The price is not right."),
    "contract.signature": _l("Choose how it was signed."),
    "contract.stale": _l("Somebody changed it meanwhile: look at it anew."),
    "contract.unknown": _l("There is no such contract."),
    "date.past": _l("Choose a day that is not past."),
    "debt.stage": _l("This cannot be done at this stage of the debt."),
    "decision.ground": _l("A decision needs a ground and an outcome, a refusal also the norm."),
    "decision.kind": _l("Choose what was decided."),
    "document.missing": _l("Not known yet: %(fields)s"),
    "document.no_record": _l("The register of rendered services has no line for this period."),
    "document.nothing": _l("There is nothing to put into this document."),
    "document.signed": _l("It is signed: a signed document is not annulled."),
    "document.state": _l("This cannot be done with the document now."),
    "document.unknown": _l("There is no such document."),
    "file.kind": _l("Choose a PDF, a .docx or a picture up to 12 MB."),
    "instalment.unknown": _l("There is no such line of the schedule."),
    "money.invalid": _l("This is no sum. Write it as 86400,50."),
    "norm.over": _l("The act is not in force on this date: %(what)s. The head confirms the template first."),
    "norm.unknown": _l("There is no such norm."),
    "form.twice": _l("This form was sent already: what it made is in the list."),
    "obligation.closed": _l("This is done already."),
    "obligation.unknown": _l("There is no such obligation."),
    "order.early": _l("First the contract is signed: an order of enrolment is not dated before it."),
    "order.incomplete": _l("The order lacks what proves the acceptance."),
    "organisation.field": _l("«%(word)s» is no requisite."),
    "payment.amount": _l("The sum is not right."),
    "payment.method": _l("Choose how it was paid."),
    "payment.stale": _l("Somebody has booked a payment meanwhile: look whether it is the same money."),
    "payment.refund": _l("No more can go back than came."),
    "payment.twice": _l("This payment is booked already."),
    "register.above": _l("The register may not be above the price of the contract."),
    "register.empty": _l("There are no lines in this month."),
    "register.line": _l("Write the volume and the sum."),
    "register.locked": _l("Accounting has accepted this month: it is locked."),
    "schedule.empty": _l("The schedule has no lines, or a sum that is not right."),
    "schedule.sum": _l("The sum of the schedule is not the price."),
    "schedule.order": _l("The days of the schedule do not follow one another."),
    "schedule.operator": _l("An instalment operator may not stretch beyond six months."),
    "state.closed": _l("This cannot be done in the present state."),
    "state.forbidden": _l("This step is not yours."),
    "state.stale": _l("Somebody stepped first: look at it anew."),
    "template.kind": _l("Choose the kind of the document."),
    "template.lacks": _l("The template must also hold: %(what)s"),
    "template.limit": _l("The file is too heavy to be read safely."),
    "template.none": _l("There is no template in force for this date."),
    "template.own": _l("Somebody else approves your template."),
    "template.state": _l("This template waits for no approval."),
    "template.unknown": _l("There is no such template."),
    "template.words": _l("A document of this kind may not say: «%(what)s»"),
    "template.bomb": _l("The archive unpacks to far more than it is: it is refused."),
    "template.broken": _l("Word can open it perhaps, but it cannot be filled. Save it anew as .docx."),
    "template.code": _l("There is code or an embedded object in it: %(what)s. Take it out and save as .docx."),
    "template.encoding": _l("The file is not as Word writes it: %(what)s"),
    "template.entity": _l("The file holds declarations that Word never writes: %(what)s"),
    "template.external": _l("There is a link out of the file: %(what)s. Take the hyperlink or picture out."),
    "template.field": _l("A field of Word that is not allowed: %(what)s. Only page numbers are."),
    "template.filter": _l("«%(what)s»: this form does not fit the field."),
    "template.large": _l("The file is larger than 20 MB."),
    "template.not_docx": _l("This is no .docx file. In Word: save as Word document (.docx)."),
    "template.path": _l("The file holds a name that leads outside: %(what)s"),
    "template.placeholder": _l("This may not be written in a template: %(what)s"),
    "template.placeholder_place": _l("A placeholder stands where it is never filled: %(what)s"),
    "template.syntax": _l("A placeholder is not closed or misspelt: %(what)s"),
    "template.undrawn": _l(
        "The PDF would differ from Word: %(what)s. Accept all changes; turn text boxes and formulas into text."
    ),
    "template.xml": _l("The file is damaged: %(what)s"),
    "termination.access": _l("First close the access in GetCourse and mark the task as done."),
    "termination.active": _l("A termination is under way already."),
    "termination.changed": _l("The sums have changed since: reckon anew."),
    "termination.demand": _l("First send a demand, or let the head confirm."),
    "termination.document": _l("Every expense needs a name, a sum and its document."),
    "termination.figures": _l("Write what was delivered, the sums and the day."),
    "termination.ground": _l("Choose the ground."),
    "termination.no_refund": _l("Money came and nothing goes back: name the ground."),
    "termination.paper": _l("An agreement is signed, a notice is delivered."),
    "termination.unknown": _l("There is no such termination."),
}
"""What a refusal says."""

KINDS: Mapping[str, Lazy] = {
    "person": _l("With a person"),
    "three": _l("Three-party"),
    "organisation": _l("With an organisation"),
    "offer": _l("Accepted offer"),
    "consulting": _l("Consulting"),
}
"""Kinds of contracts."""

CONTRACT_STATES: Mapping[str, Lazy] = {
    "draft": _l("Draft"),
    "approval": _l("Being approved"),
    "rework": _l("To be reworked"),
    "approved": _l("Approved"),
    "sent": _l("With the client"),
    "signed": _l("Signed"),
    "force": _l("In force"),
    "paused": _l("Paused"),
    "fulfilled": _l("Fulfilled"),
    "terminated": _l("Terminated"),
    "declined": _l("Declined by the client"),
    "lapsed": _l("The offer has lapsed"),
    "annulled": _l("Annulled"),
}
"""States of a contract."""

AMENDMENT_STATES: Mapping[str, Lazy] = {
    "draft": _l("Draft"),
    "approval": _l("Being approved"),
    "approved": _l("Approved"),
    "sent": _l("With the client"),
    "signed": _l("Signed"),
    "force": _l("In force"),
    "declined": _l("Declined"),
    "lapsed": _l("No answer for 30 days"),
    "annulled": _l("Annulled"),
}
"""States of an amendment."""

TERMINATION_STATES: Mapping[str, Lazy] = {
    "received": _l("Application received"),
    "calculation": _l("Being reckoned"),
    "approval": _l("With the head"),
    "agreed": _l("Agreed by the head"),
    "sent": _l("Sent to the client"),
    "signed": _l("Signed"),
    "delivered": _l("Delivered"),
    "refund_due": _l("Refund assigned"),
    "no_refund": _l("No refund"),
    "refunded": _l("Money went back"),
    "ordered": _l("Order issued"),
    "finished": _l("Finished"),
    "withdrawn": _l("Withdrawn"),
}
"""States of a termination."""

STEPS: Mapping[str, Lazy] = {
    "submit": _l("Send for approval"),
    "approve": _l("Approve"),
    "return": _l("Return for rework"),
    "edit": _l("Change"),
    "send": _l("Mark as sent to the client"),
    "sign": _l("The client has signed"),
    "decline": _l("The client declines"),
    "pause": _l("Pause"),
    "resume": _l("Resume the contract"),
    "fulfil": _l("Fulfilled"),
    "annul": _l("Annul"),
    "calculate": _l("Begin the calculation"),
    "agree": _l("Agree"),
    "withdraw": _l("Withdrawn by the client"),
    "deliver": _l("The notice is delivered"),
    "assign_refund": _l("Assign the refund"),
    "no_refund": _l("No refund"),
    "refund": _l("The money went back"),
    "order": _l("The order is issued"),
    "finish": _l("Finish"),
}
"""Steps as buttons say them."""

HISTORY: Mapping[str, Lazy] = {
    "opened": _l("Opened"),
    "submit": _l("Sent for approval"),
    "edit": _l("The text is changed"),
    "resume": _l("Resumed"),
}
"""What happened, where the state it led to does not say it."""

GROUNDS: Mapping[str, Lazy] = {
    "consumer": _l("The consumer's refusal (art. 32)"),
    "agreement": _l("Agreement of both sides"),
    "defect": _l("A substantial defect (art. 29)"),
    "late": _l("A missed term (art. 28)"),
    "school": _l("On the school's initiative"),
    "court": _l("A court's decision"),
    "gone": _l("Death or liquidation"),
}
"""Grounds of a termination."""

FUNDING: Mapping[str, Lazy] = {
    "own": _l("The school's own"),
    "operator": _l("An instalment operator"),
    "bank": _l("A bank"),
}
"""Who gives the instalments."""

METHODS: Mapping[str, Lazy] = {
    "card": _l("Card"),
    "transfer": _l("Transfer"),
    "cash": _l("Cash"),
    "operator": _l("Instalment operator"),
    "bank": _l("Bank"),
}
"""How it was paid."""

SIGNATURES: Mapping[str, Lazy] = {
    "paper": _l("On paper"),
    "simple": _l("Simple electronic signature"),
    "qualified": _l("Qualified signature"),
    "acceptance": _l("Acceptance by payment"),
}
"""How it was signed."""

STAGES: Mapping[str, Lazy] = {
    "ahead": _l("Lies ahead"),
    "today": _l("Due today"),
    "overdue": _l("Overdue"),
    "promised": _l("Promised"),
    "restructured": _l("Being restructured"),
    "demanded": _l("Demanded"),
    "accounting": _l("With accounting"),
    "paid": _l("Paid"),
    "written_off": _l("Written off"),
}
"""Stages of a debt."""

DEBT_STEPS: Mapping[str, Lazy] = {
    "promise": _l("Promises by"),
    "restructure": _l("Restructure"),
    "demand": _l("Demand sent"),
    "hand_over": _l("Hand over to accounting"),
    "write_off": _l("Write off"),
}
"""What can be done about a debt."""

STOPS: Mapping[str, Lazy] = {
    "claim": _l("a claim is open"),
    "ending": _l("a termination is under way"),
    "flag": _l("marked on the card"),
}
"""Why nobody reminds."""

OBLIGATION_STATES: Mapping[str, Lazy] = {
    "waiting": _l("Awaited"),
    "done": _l("Fulfilled on time"),
    "late": _l("Overdue"),
    "done_late": _l("Done late"),
    "lifted": _l("Lifted"),
}
"""States of an obligation."""

SUBJECTS: Mapping[str, Lazy] = {
    "payment": _l("Payment by the schedule"),
    "access": _l("Open the access"),
    "document": _l("Hand over the document of study"),
    "refund": _l("Return the money"),
    "certificate": _l("Certificate of study"),
}
"""What is owed."""

SIDES: Mapping[str, Lazy] = {
    "school": _l("School"),
    "client": _l("Client"),
}
"""Who owes."""

DOCUMENTS: Mapping[str, Lazy] = {
    "contract_person": _l("Contract with a person"),
    "contract_three": _l("Three-party contract"),
    "contract_org": _l("Contract with an organisation"),
    "contract_consulting": _l("Consulting contract"),
    "acceptance": _l("Acceptance sheet"),
    "annex": _l("Annex"),
    "amendment": _l("Amendment"),
    "termination": _l("Termination agreement"),
    "notice": _l("Notice of refusal"),
    "application": _l("Application of the client"),
    "demand": _l("Demand for payment"),
    "claim_answer": _l("Answer to a claim"),
    "invoice": _l("Invoice"),
    "act": _l("Act of services"),
    "reconciliation": _l("Reconciliation act"),
    "consent_data": _l("Consent: personal data"),
    "consent_ads": _l("Consent: advertising"),
    "consent_publication": _l("Consent: publication"),
    "order_enrol": _l("Order of enrolment"),
    "order_expel": _l("Order of expulsion"),
    "study_certificate": _l("Certificate of study (paper)"),
    "payment_certificate": _l("Certificate of payment"),
    "program": _l("Programme"),
    "questionnaire": _l("Questionnaire"),
    "education_copy": _l("Copy of the education document"),
    "guarantee": _l("Guarantee letter"),
    "claim": _l("Claim"),
    "calculation": _l("Calculation of the refund"),
    "refund_payment": _l("Payment order of the refund"),
    "grade_sheet": _l("Grade sheet"),
    "protocol": _l("Protocol"),
    "education_document": _l("Document of study"),
    "review": _l("Review"),
    "students_list": _l("List of students"),
    "other": _l("Another paper"),
}
"""Kinds of documents."""

DOCUMENT_STATES: Mapping[str, Lazy] = {
    "making": _l("Being made"),
    "made": _l("Made"),
    "failed": _l("Could not be made"),
    "annulled": _l("Annulled"),
}
"""States of a document."""

KITS: Mapping[str, Lazy] = {
    "start": _l("Beginning of studies"),
    "start_plain": _l("Beginning without a document"),
    "corporate": _l("Corporate"),
    "finish": _l("Completion"),
    "termination": _l("Termination"),
}
"""Kits of papers."""

DECISIONS: Mapping[str, Lazy] = {
    "refusal": _l("Refusal"),
    "refund": _l("Refund"),
    "termination": _l("Termination"),
    "discount": _l("Discount"),
    "claim_answer": _l("Answer to a claim"),
}
"""Kinds of decisions."""

TEMPLATE_STATES: Mapping[str, Lazy] = {
    "draft": _l("Draft"),
    "approval": _l("Waits for approval"),
    "force": _l("In force"),
    "archived": _l("Archived"),
}
"""States of a template."""

MISSING: Mapping[str, Lazy] = {
    "norm": _l("An act that is not in force"),
    "template": _l("No template in force"),
    "guardian": _l("A minor: choose the three-party contract"),
    "discount": _l("The discount has no decision"),
    "authority": _l("The authority is dated after the contract"),
    "inn": _l("The INN is not right"),
    "site": _l("The price on the site is another"),
}
"""What a contract lacks, beside fields."""

TABS: Mapping[str, Lazy] = {
    "work": _l("In work"),
    "approval": _l("For approval"),
    "force": _l("In force"),
    "ended": _l("Ended"),
}
"""Tabs of the register."""

GROUPS: Mapping[str, Lazy] = {
    "org": _l("School"),
    "sign": _l("Signatory"),
    "client": _l("Client"),
    "student": _l("Student"),
    "guardian": _l("Guardian"),
    "corp": _l("Organisation"),
    "payer": _l("Payer"),
    "program": _l("Programme"),
    "contract": _l("Contract"),
    "pay": _l("Payment"),
    "doc": _l("Document"),
    "end": _l("Termination"),
    "claim": _l("Application or claim"),
    "consent": _l("Consent"),
    "order": _l("Order of the school"),
    "amend": _l("Amendment"),
    "group": _l("Group"),
    "more": _l("More"),
}
"""Groups of fields."""

FIELDS: Mapping[str, Lazy] = {
    "last": _l("Surname"),
    "first": _l("First name"),
    "middle": _l("Middle name"),
    "gender": _l("Gender"),
    "full": _l("Name in full"),
    "address": _l("Address"),
    "phone": _l("Phone"),
    "email": _l("Mail"),
    "birth_date": _l("Date of birth"),
    "id_type": _l("Identity document"),
    "id_series": _l("Series"),
    "id_no": _l("Number"),
    "id_issued_by": _l("Issued by"),
    "id_date": _l("Issued on"),
    "id_code": _l("Code of the issuer"),
    "snils": _l("SNILS"),
    "inn": _l("INN"),
    "kpp": _l("KPP"),
    "ogrn": _l("OGRN"),
    "name_full": _l("Full title"),
    "name_short": _l("Short title"),
    "party_name": _l("Named in contracts as"),
    "address_legal": _l("Legal address"),
    "address_post": _l("Postal address"),
    "site": _l("Site"),
    "bank_name": _l("Bank"),
    "bik": _l("BIK"),
    "acc": _l("Account"),
    "corr": _l("Correspondent account"),
    "licence_no": _l("Licence number"),
    "licence_body": _l("Licence issued by"),
    "licence_date": _l("Licence date"),
    "vat_mode": _l("VAT"),
    "position": _l("Signatory's post"),
    "name": _l("Name or title"),
    "basis": _l("Acts on the basis of"),
    "relation": _l("Relation"),
    "authority": _l("Guardian's document"),
    "signer_name": _l("Signer"),
    "signer_position": _l("Signer's post"),
    "signer_basis": _l("Signer's basis"),
    "authority_date": _l("Date of the authority"),
    "kind": _l("Kind"),
    "level": _l("Level"),
    "direction": _l("Direction"),
    "hours": _l("Hours"),
    "form": _l("Form of study"),
    "term": _l("Term"),
    "doc_kind": _l("Document of study given"),
    "start": _l("Begins"),
    "end": _l("Ends"),
    "services": _l("List of services"),
    "meetings": _l("Order of meetings"),
    "pay_order": _l("Order of payment"),
    "pep": _l("Agreement on simple signature"),
    "city": _l("City"),
    "price": _l("Price"),
    "title": _l("Heading"),
    "content": _l("Content"),
    "norm": _l("Norm"),
    "demand_no": _l("Number of the demand"),
    "demand_date": _l("Date of the demand"),
    "delivery": _l("Way of delivery"),
    "request": _l("Request"),
    "reason": _l("Reason"),
    "details": _l("Requisites"),
    "due": _l("Pay until"),
    "in_no": _l("Number of the claim"),
    "date": _l("Date"),
    "facts": _l("Circumstances"),
    "decision": _l("Decision"),
    "norms": _l("Norms"),
    "sum": _l("Sum"),
    "appeal": _l("Way of appeal"),
    "period": _l("Month (YYYY-MM)"),
    "from": _l("From"),
    "to": _l("To"),
    "purpose": _l("Purpose"),
    "data": _l("Data"),
    "actions": _l("Actions"),
    "withdrawal": _l("How to withdraw"),
    "processors": _l("Processors"),
    "channels": _l("Channels"),
    "conditions": _l("Conditions"),
    "ground": _l("Ground"),
    "no": _l("Number"),
    "addressee": _l("For whom"),
    "year": _l("Year"),
    "licence": _l("Is there a licence"),
    "schedule": _l("Payment schedule"),
    "students": _l("Students"),
    "overdue": _l("Overdue lines"),
    "lines": _l("Lines"),
    "expenses": _l("Expenses"),
    "delivered": _l("What was delivered"),
    "refund_date": _l("Refund until"),
    "dot": _l("Distance technologies"),
    "qualification": _l("Qualification"),
    "area": _l("Area"),
}
"""Names of fields."""
