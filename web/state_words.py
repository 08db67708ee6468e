"""Words of «Состояние»."""

from collections.abc import Mapping
from datetime import timedelta

from web.language import Lazy, _l, is_russian

PROCESSES: Mapping[str, Lazy] = {
    "all": _l("everything in one process"),
    "web": _l("pages"),
    "scheduler": _l("clock"),
    "worker": _l("worker"),
}
LAG_WARN = timedelta(minutes=10)


def tone(lag: timedelta) -> str:
    """The look of a delay."""
    return "bad" if lag > LAG_WARN else "warn" if lag > LAG_WARN / 5 else "good"


UNITS = (_l("%(num)s bytes"), _l("%(num)s KB"), _l("%(num)s MB"), _l("%(num)s GB"), _l("%(num)s TB"))


def size(count: int) -> str:
    """Bytes as people read them: «1,4 ГБ»."""
    number, unit = float(count), 0
    while number >= 1000 and unit < len(UNITS) - 1:
        number, unit = number / 1000, unit + 1
    said = f"{number:.0f}" if unit == 0 or number >= 100 else f"{number:.1f}"
    return str(UNITS[unit]) % {"num": said.replace(".", ",") if is_russian() else said}
