"""One text for many that is not the same text many times: alternatives and greetings, chosen by person."""

import re

_CHOICE = re.compile(r"(?<!\{)\{([^{}|]*(?:\|[^{}|]*)+)\}(?!\})")
"""``{Починили|Исправили}``; double braces are placeholders."""
_NAMED = ("{name}, здравствуйте!", "Здравствуйте, {name}!", "{name}, добрый день!", "Добрый день, {name}!")
_NAMELESS = ("Здравствуйте!", "Добрый день!", "Приветствуем!")


def vary(text: str, number: int) -> str:
    """The text with one of each ``{a|b|c}`` chosen; the same ``number`` chooses the same, neighbours differ."""
    at = number

    def choose(match: re.Match[str]) -> str:
        nonlocal at
        choices = match.group(1).split("|")
        chosen = choices[at % len(choices)]
        at = at // len(choices) + number
        return chosen

    return _CHOICE.sub(choose, text)


def greeting(first_name: str, number: int) -> str:
    """«Анна, здравствуйте!» and its like; without a name that one greets by, a greeting alone."""
    forms = _NAMED if first_name else _NAMELESS
    return forms[number % len(forms)].format(name=first_name)
