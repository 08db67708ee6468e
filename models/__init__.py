"""Tables: columns, constraints and relationships; no queries, no network, no commit."""

from models.absence import Absence, DutyDay
from models.act import Act
from models.api_key import ApiKey
from models.author import Author
from models.base import Base, UtcDateTime, utc_now
from models.broadcast import (
    Broadcast,
    BroadcastCheck,
    BroadcastIncident,
    BroadcastMention,
    BroadcastPlace,
    BroadcastQuestion,
    Tape,
)
from models.bulk import Bulk
from models.case import Case, Note
from models.case_fact import CaseFact, CaseStep, LeadFact, RouteFact
from models.clock import Clock, Notice
from models.contact import StaffContact
from models.contract import Amendment, Approval, Contract, ContractRevision, Decision, LegalRef, Termination
from models.crm.call import Call
from models.crm.client import Client, ClientTie, ClientWord, Contact, Study
from models.crm.consent import Consent, ConsentText
from models.crm.deal import Deal, DealMove
from models.crm.identity import Identity, Merge
from models.crm.privacy import Erasure, PrivacyRequest, SensitiveField
from models.crm.task import ClientNote, Task
from models.crm.transfer import ClientExport, ClientImport, ImportRow
from models.delivery import Delivery
from models.document import Document, StoredFile, Template
from models.entrance import OneTimeLink, PasswordAsked, StaffSession
from models.event import Event
from models.excerpt import Excerpt
from models.follower import Follower, Mention
from models.gap import Gap
from models.incident import Incident, IncidentCase
from models.joining import Joining
from models.label import Label
from models.learning import Audit, Training
from models.lease import Counter, Lease, Setting
from models.message import Attachment, Message, MessageBand, TextVersion
from models.messenger import MessengerAccount
from models.money import Allocation, Instalment, Obligation, Payment, ServiceRecord
from models.outreach import Outreach
from models.publication import Publication
from models.raw_item import RawItem, RawTie
from models.reply import Draft, Reply, ReplyFile
from models.report import ReportOrder, ReportView, Snapshot, SnapshotFile
from models.responsibility import Responsibility
from models.review import Review, ReviewDraw, ReviewMark, Satisfaction
from models.route import Department, Route, RouteFile, RouteLine
from models.rule import Rule
from models.saved_reply import Fact, FactUse, SavedReply
from models.saved_view import SavedView
from models.seal import Seal
from models.search import SearchEntry, SearchLemma
from models.setting_version import SettingVersion
from models.sign_on import StaffIdentity
from models.signal import Signal
from models.snooze import Snooze
from models.source import Source
from models.staff import Staff, StaffRole
from models.tag import CaseTag, Tag
from models.visit import Visit, VisitedPlace
from models.webhook import Webhook, WebhookCall, WebhookTry
from models.wish import Verdict, Wish, WishCase

__all__ = [
    "Absence", "Act", "Allocation", "Amendment", "ApiKey", "Approval", "Attachment", "Audit", "Author", "Base",
    "Broadcast", "BroadcastCheck", "BroadcastIncident", "BroadcastMention", "BroadcastPlace",
    "BroadcastQuestion", "Bulk", "Call", "Case", "CaseFact", "CaseStep", "CaseTag", "Client", "ClientExport",
    "ClientImport", "ClientNote", "ClientTie", "ClientWord", "Clock", "Consent", "ConsentText", "Contact",
    "Contract", "ContractRevision", "Counter", "Deal", "DealMove", "Decision", "Delivery", "Department",
    "Document", "Draft", "DutyDay", "Erasure", "Event", "Excerpt", "Fact", "FactUse", "Follower", "Gap",
    "Identity", "ImportRow", "Incident", "IncidentCase", "Instalment", "Joining", "Label", "LeadFact", "Lease",
    "LegalRef", "Mention", "Merge", "Message", "MessageBand", "MessengerAccount", "Note", "Notice",
    "Obligation", "OneTimeLink", "Outreach", "PasswordAsked", "Payment", "PrivacyRequest", "Publication",
    "RawItem", "RawTie", "Reply", "ReplyFile", "ReportOrder", "ReportView", "Responsibility", "Review",
    "ReviewDraw", "ReviewMark", "Route", "RouteFact", "RouteFile", "RouteLine", "Rule", "Satisfaction",
    "SavedReply", "SavedView", "Seal", "SearchEntry", "SearchLemma", "SensitiveField", "ServiceRecord",
    "Setting", "SettingVersion", "Signal", "Snapshot", "SnapshotFile", "Snooze", "Source", "Staff",
    "StaffContact", "StaffIdentity", "StaffRole", "StaffSession", "StoredFile", "Study", "Tag", "Tape", "Task",
    "Template", "Termination", "TextVersion", "Training", "UtcDateTime", "Verdict", "Visit", "VisitedPlace",
    "Webhook", "WebhookCall", "WebhookTry", "Wish", "WishCase", "utc_now",
]  # fmt: skip
