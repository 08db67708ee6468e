"""The desk's intake in its shortest form, for tests that read a platform through its channel."""

import json
from typing import Any

from collectors.base import Channel, Incoming, Raw, Walk


class Desk:
    """Keeps raws by identity, believes complete listings, and holds the cursor of the last stored page."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.cursor: dict[str, Any] = {}
        self.raws: dict[tuple[str, str], Raw] = {}
        self.changes = 0
        self.completed = False

    def read(self, walk: Walk, pages: int = 10**6) -> None:
        """Stores at most ``pages`` pages and then forgets the walk, as a killed process does."""
        self.completed = False
        for page in self.channel.walk(walk, json.loads(json.dumps(self.cursor))):
            if pages == 0:
                return
            pages -= 1
            for raw in page.raws:
                before = self.raws.get((raw.container, raw.external_id))
                self.changes += before is None or before.digest != raw.digest
                self.raws[raw.container, raw.external_id] = raw
            for container, ids in page.listed.items():
                for key in [key for key in self.raws if key[0] == container and key[1] not in ids]:
                    del self.raws[key]
            self.cursor, self.completed = page.cursor, page.complete

    def messages(self) -> dict[str, Incoming]:
        return {raw.external_id: one for raw in self.raws.values() for one in self.channel.parse(raw)}

    def texts(self) -> dict[str, str]:
        return {id_: one.text for id_, one in self.messages().items()}
