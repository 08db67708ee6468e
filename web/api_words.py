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

EVENTS: Mapping[str, Lazy] = {
    "case.opened": _l("A case is opened"),
    "message.received": _l("The author wrote"),
    "case.assigned": _l("A case is given to somebody"),
    "case.closed": _l("A case is closed"),
    "case.reopened": _l("A case is opened again"),
    "reply.written": _l("A reply is written"),
    "reply.sent": _l("The platform took a reply"),
    "reply.seen": _l("A reply is seen on the platform"),
    "reply.failed": _l("A reply could not be sent, or it is unclear"),
    "route.asked": _l("A department is asked"),
    "route.answered": _l("A department has answered"),
    "route.declined": _l("A department handed a question back"),
    "webhook.test": _l("Test"),
}

HOOK_STATES: Mapping[str, Lazy] = {
    "on": _l("is told"),
    "off": _l("is told nothing"),
    "failed": _l("switched off: nothing got there for a day"),
}

CALL_STATES: Mapping[str, Lazy] = {
    "queued": _l("waits"),
    "sending": _l("is being sent"),
    "sent": _l("taken"),
    "dead": _l("not taken"),
    "cancelled": _l("given up"),
}

TROUBLES: Mapping[str, Lazy] = {
    "address": _l("a private address: the desk goes to public ones only"),
    "dns": _l("there is no such name"),
    "refused": _l("nobody listens there"),
    "tls": _l("the certificate is not good"),
    "timeout": _l("no answer in time"),
    "network": _l("the connection broke"),
    "key": _l("the secret cannot be opened: make a new one"),
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
    "key.begun": _l("There was no key «%(name)s» before, and what was made cannot be unmade: revoke it instead."),
    "key.final": _l(
        "The key «%(name)s» opens nothing any more and cannot be brought back: make a new one with its name and "
        "scopes."
    ),
    "key.gone": _l("There is no such key."),
    "reply.unknown": _l("There is no such reply."),
    "webhook.begun": _l("There was no address «%(name)s» before, and that cannot be undone: delete it instead."),
    "webhook.secretless": _l("«%(name)s» was brought back without its secret: make a new one first."),
    "webhook.unknown": _l("There is no such address any more."),
    "webhook.call": _l("There is no such call any more."),
    "webhook.off": _l("Switch the address on first."),
    "webhook.address": _l("The address must begin with https:// and hold no name, password or #."),
    "webhook.private": _l("That is an address of an inner network: the desk goes to public ones only."),
    "webhook.many": _l("There are %(most)s addresses already: delete one first."),
    "webhook.name": _l("Give the address a name, %(most)s characters at most."),
    "webhook.events": _l("Choose at least one event."),
    "api.malformed": _l("The request is not what the document of the API says: see «errors»."),
    "api.json": _l("The body must be JSON, with Content-Type: application/json."),
    "api.key_missing": _l("Send the header Idempotency-Key: one for each reply or question, up to 200 characters."),
    "api.key_reused": _l("This Idempotency-Key was used for something else."),
    "api.not_found": _l("There is no such address in the API."),
    "api.method": _l("This address does not take that method."),
    "api.stale": _l("Somebody changed the case meanwhile: read it anew."),
    "api.large": _l("The request is too large."),
}
