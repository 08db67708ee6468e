"""What keys of the API, their scopes and web hooks are called, and how what they are refused is said."""

from collections.abc import Mapping

from web.language import Lazy, _l

SCOPES: Mapping[str, Lazy] = {
    "cases:read": _l("Read cases and messages"),
    "cases:write": _l("Take, assign, close and reopen cases"),
    "replies:write": _l("Write replies"),
    "routes:read": _l("Read questions to departments"),
    "routes:write": _l("Ask departments"),
    "routes:answer": _l("Answer for a department"),
}

ERRORS: Mapping[str, Lazy] = {
    "key.unknown": _l("The key is unknown, revoked or over."),
    "key.missing": _l("Send the key in the header: Authorization: Bearer otk_…"),
    "key.scope": _l("The key has no scope for this."),
    "key.person": _l("The owner of the key must first log in and set up the password or the second step."),
    "key.often": _l("Too many requests: wait a minute."),
    "key.name": _l("Give the key a name, %(most)s characters at most."),
    "key.days": _l("Choose how long the key lives."),
    "key.scopes": _l("Choose at least one thing that the key may do."),
    "key.many": _l("There are %(most)s keys already: revoke one first."),
    "key.gone": _l("There is no such key."),
    "reply.unknown": _l("There is no such reply."),
    "api.malformed": _l("The request is not what the document of the API says: see «errors»."),
    "api.json": _l("The body must be JSON, with Content-Type: application/json."),
    "api.key_missing": _l("Send the header Idempotency-Key: one for each reply or question, up to 200 characters."),
    "api.key_reused": _l("This Idempotency-Key was used for something else."),
    "api.not_found": _l("There is no such address in the API."),
    "api.method": _l("This address does not take that method."),
    "api.large": _l("The request is too large."),
}
