"""How a change of settings is refused: what it would break is named."""

from collections.abc import Mapping

from web.language import Lazy, _l

NAMING: Mapping[str, Lazy] = {
    "duties": _l("Who answers for what"),
    "rota": _l("Duty days"),
    "rules": _l("Rules"),
    "agreement": _l("Agreement to replies"),
}
"""Settings that name people."""

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
    "staff.named": _l("%(name)s is still named in: %(settings)s. Name somebody else there first."),
}
