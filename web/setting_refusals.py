"""How a change of settings is refused: what it would break is named."""

from collections.abc import Mapping

from web.language import Lazy, _l

NAMING: Mapping[str, Lazy] = {
    "duties": _l("Who answers for what"),
    "rota": _l("Duty days"),
    "rules": _l("Rules"),
    "agreement": _l("Agreement to replies"),
    "mail": _l("Mail for notices"),
    "bots": _l("Bots for notices"),
}
"""Settings that name people and places."""

ERRORS: Mapping[str, Lazy] = {
    "agreement.deputy": _l("%(name)s does not answer authors and cannot be a deputy: choose somebody else."),
    "duty.left": _l(
        "Nobody would be left to answer for what comes on «%(name)s». Name somebody else in «Who answers for what» "
        "first, or for each day of the week in «Duty days»."
    ),
    "duty.person": _l("%(name)s does not answer cases any more: choose somebody else."),
    "route.person": _l("%(name)s does not answer for the department."),
    "staff.holds": _l("%(name)s still has something to do here: switch them off on «Staff» and say where it goes."),
    "setting.secret": _l("That server had a password of its own, which no version keeps: enter it on the screen."),
    "setting.stale": _l("Somebody changed this setting meanwhile. Look at its history."),
    "setting.unknown": _l("There is no such setting."),
    "setting.version": _l("There is no such version."),
    "source.begun": _l(
        "«%(name)s» was watched from then on, which cannot be undone: remove it from the list instead."
    ),
    "source.known_removed": _l("This place was removed from the list: bring it back there."),
    "source.named": _l("«%(name)s» still stands in: %(settings)s. Take it out of there first."),
    "source.unsent": _l("Replies wait to go to «%(name)s»: send or cancel them in «Outgoing» first."),
    "staff.named": _l("%(name)s is still named in: %(settings)s. Name somebody else there first."),
}
