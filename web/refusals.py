"""How each room's refusals are said, put together: code of a service's error → words; web.words knows its own."""

from collections.abc import Mapping

from web.api_words import ERRORS as API
from web.broadcast_words import ERRORS as BROADCASTS
from web.contract_words import ERRORS as CONTRACTS
from web.crm.words import ERRORS as CLIENTS
from web.inquiry_words import ERRORS as INQUIRIES
from web.language import Lazy
from web.notice_words import ERRORS as NOTICES
from web.outreach_words import ERRORS as OUTREACH
from web.setting_refusals import ERRORS as SETTINGS
from web.sign_on_words import ERRORS as SIGN_ON

ERRORS: Mapping[str, Lazy] = {
    **CLIENTS, **CONTRACTS, **BROADCASTS, **NOTICES, **OUTREACH, **API, **SIGN_ON, **SETTINGS,
    **INQUIRIES,
}  # fmt: skip
