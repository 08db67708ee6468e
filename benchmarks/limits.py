"""A limiter that never waits: the rates of platforms are no matter on loopback."""


class NoLimits:
    def wait(self, name: str, *, rate: float, cost: int = 1) -> None:
        return None

    def spend(self, name: str, day: str, units: int, *, limit: int, purpose: str = "") -> bool:
        return True

    def spent_on(self, name: str, day: str, purpose: str | None = None) -> int:
        return 0
