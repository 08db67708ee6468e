"""Settings of which there are many, each place, key and web hook with versions of its own: how those are named."""

PLACE, KEY, HOOK = "place", "key", "hook"


def name_of(family: str, number: int) -> str:
    """«place:12»: the name under which versions of one of many are kept."""
    return f"{family}:{number}"


def family_of(name: str) -> tuple[str, int | None]:
    """The family and the number of one of many; the name itself and None of a setting of which there is one."""
    family, _colon, number = name.partition(":")
    is_one_of_many = number.isdecimal() and number.isascii() and len(number) < 19
    return (family, int(number)) if is_one_of_many else (name, None)
