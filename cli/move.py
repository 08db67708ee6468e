"""`migrate-to-postgres` at the terminal: progress in one line a table, and what to do next."""

import sys

from bootstrap import make_desk
from config import Config, DatabaseConfig
from models import Setting
from models.database import open_database
from services.errors import DeskError
from services.moving import MARK, run_move


def run_migrate(config: Config, url: str) -> None:
    """Moves the work desk of ``config`` into the database at ``url`` and prints the comparison."""
    # The address in config.yaml may be the new one already: the old database is the file in paths.var.
    desk = make_desk(config.model_copy(update={"database": DatabaseConfig()}), "work")
    target = open_database(DatabaseConfig(url=url).url or url)
    try:
        found = run_move(desk.database, target, _tell)
    finally:
        target.engine.dispose()
        desk.database.engine.dispose()
    print(f"\n{'table':28} {'here':>9} {'there':>9}")
    for one in found:
        if one.here or one.there:
            print(f"{one.table:28} {one.here:9} {one.there:9}  equal")
    print("\nEvery table is equal. Put the new address into config.yaml (database.url) and start the desk.")


def run_undo(config: Config) -> None:
    """Takes the mark away by which the old database refuses to start."""
    desk = make_desk(config.model_copy(update={"database": DatabaseConfig()}), "work")
    with desk.database.write.begin() as session:
        row = session.query(Setting).filter(Setting.name == MARK).one_or_none()
        if row is None:
            raise DeskError("This database was not moved.")
        session.delete(row)
    print("The SQLite database can be started again. Take database.url out of config.yaml.")


def _tell(table: str, done: int, total: int) -> None:
    """A line that rewrites itself at a terminal, and one line a table elsewhere."""
    if sys.stdout.isatty():
        print(f"\r{table:28} {done:9} of {total}", end="\n" if done >= total else "", flush=True)
    elif done >= total:
        print(f"{table:28} {done:9} of {total}", flush=True)
