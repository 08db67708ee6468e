"""The figures of «Состояние» in the text format of Prometheus."""

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, PlatformCollector, ProcessCollector
from prometheus_client import generate_latest as written

from services.state import Snapshot, own_version

TYPE = CONTENT_TYPE_LATEST


def exposition(now: Snapshot, *, free: int, full: bool) -> bytes:
    """Gauges only, made anew at each asking: every process tells the same of the desk, and of itself its own."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    _labelled(registry, "otklik_acts", "Acts that are not proven, by state", "state", now.acts)
    _labelled(registry, "otklik_letters", "Letters to staff that are not sent, by state", "state", now.letters)
    alive: dict[str, int] = {}
    for one in now.processes:
        alive[one.kind] = alive.get(one.kind, 0) + one.alive
    _labelled(registry, "otklik_processes", "Processes that gave a sign of life, by kind", "kind", alive)
    states: dict[str, int] = {}
    for place in now.places:
        states[place.state] = states.get(place.state, 0) + 1
    _labelled(registry, "otklik_places", "Watched places, by state", "state", states)
    _labelled(registry, "otklik_build", "The program", "version", {own_version(): 1})
    backup_age = (now.at - now.backup.at).total_seconds() if now.backup.at else float("nan")
    oldest = (now.at - now.oldest).total_seconds() if now.oldest else 0.0
    for name, words, value in (
        ("up", "A scheduler leads", float(now.health.scheduler)),
        ("stuck_acts", "Acts that wait longer than they may", float(now.health.stuck_acts)),
        ("unlabelled_messages", "Messages that wait for a label", float(now.unlabelled)),
        ("unlabelled_oldest_seconds", "Age of the oldest of them", oldest),
        ("quarantined_items", "Items that could not be read", float(now.quarantined)),
        ("collect_lag_seconds", "How far the slowest place lies behind its interval", now.lag.total_seconds()),
        ("backup_age_seconds", "Age of the last good backup", backup_age),
        ("backup_late", "The last good backup is older than 26 hours", float(now.backup.late)),
        ("disk_free_bytes", "Free on the disk of the folder var", float(free)),
        ("disk_full", "Nothing is written for want of room", float(full)),
        ("jobs_waiting", "Jobs in the queue whose time has come", float(now.queue.waiting if now.queue else 0)),
    ):
        Gauge(f"otklik_{name}", words, registry=registry).set(value)
    return written(registry)


def _labelled(registry: CollectorRegistry, name: str, words: str, label: str, values: dict[str, int]) -> None:
    gauge = Gauge(name, words, [label], registry=registry)
    for key, value in values.items():
        gauge.labels(key).set(value)
