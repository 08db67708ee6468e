"""Tables: columns, constraints and relationships; no queries, no network, no commit."""

from models.act import Act
from models.author import Author
from models.base import Base, UtcDateTime, utc_now
from models.bulk import Bulk
from models.case import Case, Note
from models.clock import Clock, Notice
from models.event import Event
from models.gap import Gap
from models.label import Label
from models.lease import Counter, Lease, Setting
from models.message import Attachment, Message, TextVersion
from models.publication import Publication
from models.raw_item import RawItem
from models.reply import Draft, Reply
from models.route import Department, Route
from models.saved_reply import Fact, FactUse, SavedReply
from models.saved_view import SavedView
from models.search import SearchEntry, SearchLemma
from models.snooze import Snooze
from models.source import Source
from models.staff import Staff, StaffRole

__all__ = [
    "Act", "Attachment", "Author", "Base", "Bulk", "Case", "Clock", "Counter", "Department", "Draft", "Event",
    "Fact", "FactUse", "Gap", "Label", "Lease", "Message", "Note", "Notice", "Publication", "RawItem", "Reply", "Route",
    "SavedReply", "SavedView", "SearchEntry", "SearchLemma", "Setting", "Snooze", "Source", "Staff", "StaffRole",
    "TextVersion", "UtcDateTime", "utc_now",
]  # fmt: skip
