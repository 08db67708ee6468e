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
ADDRESS: Mapping[str, Lazy] = {
    "ok": _l("%(url)s leads here: https, the right host, this very desk."),
    "unset": _l(
        "No address of its own: web.public_url in config.yaml is empty. The desk asks the platforms itself, "
        "departments answer by replying to the letter; links in letters and the form of the site do not work."
    ),
    "form": _l("%(url)s: write only https:// and the name of the host, without anything after it."),
    "http": _l("%(url)s is not https: platforms will not call it. Put Caddy or nginx with a certificate before the "
               "desk: docs/deploy."),
    "dns": _l("%(host)s is not known to the name servers: add an A record with the address of this machine."),
    "refused": _l("%(host)s refuses the connection: start the reverse proxy and open port 443 in the firewall."),
    "tls": _l("%(host)s has no valid certificate: look into the log of the reverse proxy."),
    "timeout": _l("%(host)s does not answer in ten seconds: a firewall on the way, or it is another machine."),
    "network": _l("%(host)s does not answer."),
    "redirect": _l("%(host)s sends on to %(to)s: write that address into web.public_url."),
    "status": _l(
        "%(host)s answers %(status)s: the reverse proxy does not reach the desk. Let it pass on to web.port."
    ),
    "other": _l("%(host)s answers, but it is not this desk: another site, or another desk."),
    "proxy": _l("Behind %(host)s the desk is asked as %(seen)s. Let the proxy send X-Forwarded-Proto and "
                "X-Forwarded-Host, and name its address in web.trusted_proxies."),
}  # fmt: skip
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
