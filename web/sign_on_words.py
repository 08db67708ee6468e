"""How a refusal of the sign-on is said."""

from collections.abc import Mapping

from web.language import Lazy, _l

ERRORS: Mapping[str, Lazy] = {
    "sign_on.failed": _l(
        "The provider answered otherwise than it should (%(why)s). Log in by password and tell the administrator."
    ),
    "sign_on.stale": _l("This was begun in another window or too long ago. Begin anew."),
    "sign_on.refused": _l("The provider did not confirm it. Try again, or log in by password."),
    "sign_on.nobody": _l(
        "This account is linked to nobody here. Log in by password and link it in the menu of your name."
    ),
    "sign_on.taken": _l("This account is somebody else's here."),
    "sign_on.unknown": _l("There is no such account any more."),
}
