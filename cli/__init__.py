"""The operator's word: starts the doors and runs one-off commands; every failure is a message and an exit code."""

import json
import secrets
import sys
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.memory import few_arenas
from config import ROOT, Config, ConfigError, load_config

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False,
                  help="Отклик: рабочее место отдела по работе с клиентами.")  # fmt: skip
Training = Annotated[bool, typer.Option("--training", help="the training desk instead of the work desk")]


class Stop(Exception):
    """Ends the command with words for the operator and exit code 2."""


def main() -> None:
    """Entry point: exit code 2 and plain words for everything that the operator can mend."""
    from services.errors import DeskError

    few_arenas()
    try:
        app(standalone_mode=False)
    except typer.Exit as finished:
        sys.exit(finished.exit_code)
    except (ConfigError, Stop) as error:
        _fail(str(error))
    except DeskError as error:
        _fail(OPERATOR_WORDS.get(error.code, error.code).format_map(_Given(error.data)))
    except OSError as error:
        if error.filename is None:
            raise
        _fail(f"{error.filename}: {error.strerror}. Choose another folder with --var, or make this one writable.")
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        from cli.waiting import words_for

        shown = getattr(error, "format_message", None)  # click's own usage errors know how to speak
        words = words_for(error) if shown is None else shown()
        if words is None:
            raise
        _fail(words)


class _Given(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


OPERATOR_WORDS = {
    "schema.broken": "The migration would leave rows that refer to nothing; the database is as it was before.",
    "schema.newer": "The database is of revision {present}, this program knows {newest} at most. "
    "Start the newer program, or restore a backup that this one made.",
    "restore.not_empty": "The database holds rows already. Restore into an empty place (--var DIR).",
    "backup.file": "{path}: an attachment of this backup is missing or damaged. "
    "The folder «files» belongs beside the archive.",
    "backup.broken": "{path}{table}: this is not a whole backup of Otklik.",
    "key.wrong": "The key file does not open the stored secrets. `check` prints where the right key belongs.",
    "source.settings": "Settings of a place are not right: {fields}",
    "source.platform": "There is no channel for the platform «{platform}».",
    "email.invalid": "This is not a mail address.",
    "email.taken": "Somebody with this mail address is already there.",
    "role.unknown": "Unknown role: {roles}",
    "department.unknown": "Unknown department: {department}",
    "move.kind": "The move goes from SQLite to PostgreSQL: take database.url out of config.yaml while you move.",
    "move.alive": "The desk still runs ({process}). Stop it; a minute after it ended the move can begin.",
    "move.filled": "The target holds rows of another desk (table {table}). Name an empty database.",
    "move.differs": "These tables differ after the copy: {tables}. "
    "Nothing was switched; empty the target and move again.",
    "desk.moved": "This database was moved to PostgreSQL. Put the new address into config.yaml (database.url). "
    "To go back to this one: `migrate-to-postgres --undo`; what was done since the move stays there.",
    "password.length": "A password has {least} to {most} characters.",
}


def _fail(words: str) -> None:
    print(words, file=sys.stderr)
    sys.exit(2)


def _desk(config: Config, *, training: bool = False, sandbox_url: str | None = None) -> Any:
    """An opened desk with its tables up to date."""
    from bootstrap import backup_folder, make_desk
    from services.schema import check_revision, present_revision, upgrade_apart

    if training and sandbox_url is None:
        sandbox_url = _sandbox_url(config)
    desk = make_desk(config, "training" if training else "work", sandbox_url=sandbox_url)
    if not training:
        _refuse_moved(desk)
    if check_revision(desk.database):
        if present_revision(desk.database) is not None:
            from services.backup import run_backup

            path = run_backup(desk.database, backup_folder(config, desk.mode))
            print(f"Backup before the migration: {path}")
        # A newcomer's first start: the screens are compiled and loaded on the other core.
        upgrade_apart(desk.database, meanwhile=partial(import_module, "web"))
    if not training:
        _sync_declared(desk)
    return desk


def _door(config: Config, **given: Any) -> Any:
    """The desk of whoever stays: it may be started together with its database."""
    from cli.waiting import WAIT_SECONDS, open_patiently, words_for

    try:
        return open_patiently(partial(_desk, config, **given), WAIT_SECONDS)
    except Exception as error:
        words = words_for(error)
        if words is None:
            raise
        raise Stop(words) from None


def _refuse_moved(desk: Any) -> None:
    from services.schema import present_revision

    if not desk.database.is_sqlite or present_revision(desk.database) is None:
        return
    from services.errors import DeskError
    from services.moving import is_moved

    with desk.database.read.begin() as session:
        if is_moved(session):
            raise DeskError("desk.moved")


def _sandbox_url(config: Config) -> str | None:
    """Where the sandbox of this machine was started last; only a training desk may go there."""
    port = config.paths.var.expanduser().resolve() / "sandbox" / "platforms" / "port"
    return f"http://127.0.0.1:{port.read_text()}" if port.exists() else None


def _sync_declared(desk: Any) -> None:
    from services.accounts import seed_departments
    from services.sources import sync_declared

    declared = desk.config.declared()
    with desk.database.write.begin() as session:
        seed_departments(session)
        sync_declared(session, desk.keyring, declared)


@app.command()
def up(training: Training = True) -> None:
    """Start everything in one process: web, scheduler and, for the training desk, the sandbox platforms."""
    from cli.up import run_up

    run_up(load_config(), training=training, prepare=_door, stop=Stop)


@app.command()
def work() -> None:
    """Start the work desk: its own database, no sandbox."""
    from cli.up import run_up

    run_up(load_config(), training=False, prepare=_door, stop=Stop)


@app.command()
def web() -> None:
    """Start only the web of the work desk, under gunicorn."""
    from cli.apart import run_web

    run_web(load_config(), prepare=_door, stop=Stop)


@app.command()
def scheduler() -> None:
    """Start only the scheduler of the work desk; it hands its jobs to workers while one is alive."""
    from cli.apart import run_scheduler

    run_scheduler(load_config(), prepare=_door, stop=Stop)


@app.command()
def worker(concurrency: Annotated[int, typer.Option(help="jobs at a time", min=1, max=64)] = 6) -> None:
    """Start one worker of the work desk (PostgreSQL): does what the web and the scheduler hand over."""
    from cli.apart import run_one_worker

    run_one_worker(load_config(), concurrency, prepare=_door, stop=Stop)


@app.command()
def collect(
    once: Annotated[bool, typer.Option("--once", help="read every place once, then end")] = False,
    source: Annotated[str | None, typer.Option(help="only the place with this declared name or title")] = None,
    rounds: Annotated[int, typer.Option(help="how many times to read")] = 1,
) -> None:
    """Read the watched places of the work desk now, and label what came."""
    from sqlalchemy import select

    from jobs import label
    from models import Source, utc_now
    from services.intake import run_collect

    if not once and rounds == 1:
        raise Stop("Say `collect --once`; reading all the time is the scheduler's work (`run.py work`).")
    desk = _desk(load_config())
    failed = 0
    for _ in range(rounds):
        with desk.database.write.begin() as session:
            chosen = [
                row.id for row in session.scalars(select(Source).order_by(Source.id))
                if source is None or source in (row.declared_as, row.title)
            ]  # fmt: skip
            for row in session.scalars(select(Source).where(Source.id.in_(chosen))):
                row.due_at = utc_now()
                if row.state == "stopped":
                    row.state = "active"
        for source_id in chosen:
            changed = run_collect(desk.database, source_id, desk.open_channel, desk.name)
            with desk.database.read.begin() as session:
                row = session.get_one(Source, source_id)
                words = f"failed: {row.error_code}: {row.error_text}" if row.error_code else "read"
                failed += row.error_code is not None
                print(f"{row.platform:10} {row.declared_as or row.title}: {words}, {changed} new or changed")
    desk.labeller.load()
    label(desk)
    raise typer.Exit(1 if failed else 0)


@app.command()
def send(training: Training = False) -> None:
    """Send what is due and settle what is unknown, once."""
    from services.outbox import count_unproven
    from services.sending import run_outbox

    desk = _desk(load_config(), training=training)
    run_outbox(desk.database, desk.open_channel)
    with desk.database.read.begin() as session:
        print(json.dumps(count_unproven(session)))


@app.command()
def reply(
    source: Annotated[str, typer.Argument(help="declared name or title of the place")],
    external_id: Annotated[str, typer.Argument(help="the platform's id of the message to answer")],
    text: Annotated[str, typer.Argument(help="the reply")],
    container: Annotated[str | None, typer.Option(help="container_id, where ids repeat")] = None,
    key: Annotated[str | None, typer.Option(help="the same key twice is one reply")] = None,
) -> None:
    """Queue a reply to one message of the work desk; the scheduler, or `send`, sends it."""
    from sqlalchemy import or_, select

    from models import Message, Source
    from services.cases import lift_message
    from services.replies import write_reply
    from services.rights import DESK

    desk = _desk(load_config())
    with desk.database.write.begin() as session:
        query = select(Message).join(Source, Source.id == Message.source_id).where(
            or_(Source.declared_as == source, Source.title == source), Message.external_id == external_id
        )  # fmt: skip
        message = session.scalars(
            query if container is None else query.where(Message.container == container)
        ).first()
        if message is None:
            raise Stop(f"No message {external_id} of {source} is stored here; collect first.")
        if message.case_id is None:
            lift_message(session, DESK, message.id)
        written = write_reply(
            session, DESK, message.case_id or 0, text, key or secrets.token_hex(16),
            message_id=message.id, undo_seconds=0,
        )  # fmt: skip
        print(json.dumps({"reply": written.id, "case": message.case_id}))


@app.command()
def classify(training: Training = False) -> None:
    """Read JSON lines {"id","text"} on standard input, print {"id","label","p","themes","kind","why"…}."""
    from bootstrap import Labeller, desk_folder
    from classifier import fingerprint, kind_of

    config = load_config()
    folder = desk_folder(config, "training" if training else "work") / "classifier"
    labeller = Labeller(folder, config.classifier.meaning)
    labeller.ensure()
    assert labeller.classifier is not None
    for line in sys.stdin:
        if not line.strip():
            continue
        try:
            item = json.loads(line)
            verdict = labeller.classifier.classify([str(item["text"])])[0]
        except (ValueError, KeyError, TypeError) as error:
            raise Stop(f"This line is not JSON with «id» and «text»: {line[:80].rstrip()} ({error})") from None
        why = [{"text": r.text, "start": r.start, "end": r.end, "weight": round(r.weight, 4)} for r in verdict.why]
        kind = kind_of(verdict.label, verdict.themes, verdict.signals, text=str(item["text"]))
        print(json.dumps({"id": item.get("id"), "label": verdict.label, "labels": list(verdict.labels),
                          "p": verdict.p, "sure": verdict.sure, "themes": list(verdict.themes),
                          "signals": list(verdict.signals), "certain": list(verdict.certain), "kind": kind.name,
                          "department": kind.department, "priority": kind.priority, "sentiment": kind.sentiment,
                          "language": verdict.language, "fingerprint": f"{fingerprint(str(item['text'])):016x}",
                          "why": why}, ensure_ascii=False))  # fmt: skip


@app.command()
def train(training: Training = False) -> None:
    """Train the classifier on the corpus of the project and store it for this desk."""
    from bootstrap import Labeller, desk_folder

    config = load_config()
    folder = desk_folder(config, "training" if training else "work") / "classifier"
    labeller = Labeller(folder, config.classifier.meaning)
    labeller.train()
    assert labeller.classifier is not None
    print(f"Trained {labeller.classifier.version} in {folder}")


@app.command()
def evaluate(
    path: Annotated[Path | None, typer.Argument(help="JSON lines with text, primary, secondary")] = None,
) -> None:
    """Measure the classifier on labelled texts (held-out groups of its own corpus when no file is named)."""
    from cli.quality import run_evaluate

    run_evaluate(load_config(), path)


@app.command()
def export(
    what: Annotated[str, typer.Argument(help="messages · cases · replies")],
    format: Annotated[str, typer.Option("--format", help="jsonl · csv")] = "jsonl",
    since: Annotated[datetime | None, typer.Option(help="from this day on")] = None,
    training: Training = False,
) -> None:
    """Print all rows of one kind to standard output."""
    from services.export import EXPORTS, run_export
    from services.rights import DESK

    if what not in EXPORTS or format not in ("jsonl", "csv"):
        raise Stop(f"Say `export {'|'.join(EXPORTS)} [--format jsonl|csv] [--since YYYY-MM-DD]`.")
    desk = _desk(load_config(), training=training)
    run_export(
        desk.database, DESK, what, sys.stdout, format=format, since=since.replace(tzinfo=UTC) if since else None
    )


@app.command("rebuild-facts")
def rebuild_facts(training: Training = False) -> None:
    """Make the facts that reports count anew from the cases and their history."""
    from services.reports.upkeep import ask_rebuild, run_rebuild

    desk = _desk(load_config(), training=training)
    with desk.database.write.begin() as session:
        ask_rebuild(session)
    print(f"Cases whose facts were others: {run_rebuild(desk.database)}")


@app.command()
def backup(to: Annotated[Path | None, typer.Option(help="folder")] = None, training: Training = False) -> None:
    """Write a backup of the database, attachments apart beside it; the key is left out and named."""
    from bootstrap import backup_folder, backup_rule, key_file
    from services.backup import run_backup
    from services.nightly import run_kept_backup

    config = load_config()
    desk = _desk(config, training=training)
    if to is not None:
        path = run_backup(desk.database, to)
    else:
        folder = backup_folder(config, desk.mode)
        path = run_kept_backup(desk.database, folder, backup_rule(config.backup), config.desk.time_zone)
    print(f"{path}\nIts attachments lie in {path.parent / 'files'}: they belong together.")
    print(f"The key is not in it. Keep a copy apart: {key_file(config, desk.mode)}")


@app.command()
def restore(path: Annotated[Path, typer.Argument(exists=True)], training: Training = False) -> None:
    """Fill an empty desk from a backup; unsent replies are looked up on the platforms before anything leaves."""
    from bootstrap import key_file, make_desk
    from services.backup import run_restore
    from services.crm.erasing import run_replay

    config = load_config()
    desk = make_desk(config, "training" if training else "work")
    counts = run_restore(desk.database, path)
    erased = run_replay(desk.database, desk.var)
    if erased:
        print(f"Erased again, as the ledger has it: {erased}")
    print(f"Restored {sum(counts.values())} rows. The key of that desk belongs at {key_file(config, desk.mode)}")


@app.command("migrate-to-postgres")
def migrate_to_postgres(
    url: Annotated[str, typer.Argument(help="postgresql://user:password@host/otklik")] = "",
    undo: Annotated[bool, typer.Option("--undo", help="let the SQLite database be started again")] = False,
) -> None:
    """Move the work desk from SQLite to PostgreSQL: resumed after a kill, counted and compared table by table."""
    from cli.move import run_migrate, run_undo

    config = load_config()
    if undo:
        run_undo(config)
    elif not url:
        raise Stop("Say where to: `migrate-to-postgres postgresql://user:password@host/otklik`.")
    else:
        run_migrate(config, url)


@app.command("create-staff")
def create_staff_command(
    email: str,
    name: str,
    role: Annotated[list[str], typer.Option("--role", help="smm · manager · head · administrator · …")],
    department: Annotated[str | None, typer.Option(help="for managers: curators · technical · …")] = None,
    training: Training = False,
) -> None:
    """Make a person and print a one-time password."""
    from services.accounts import create_staff
    from services.rights import DESK

    desk = _desk(load_config(), training=training)
    password = secrets.token_urlsafe(12)
    with desk.database.write.begin() as session:
        create_staff(session, DESK, email=email, name=name, roles=tuple(role), password=password,
                     department=department, must_change=True)  # fmt: skip
    print(f"{email}  one-time password: {password}")


@app.command()
def check(training: Training = False) -> None:
    """Verify configuration, database, migrations, key, public address and every channel's credentials."""
    from cli.check import run_check

    config = load_config()
    raise typer.Exit(run_check(config, training=training, sandbox_url=_sandbox_url(config) if training else None))


@app.command()
def doctor(
    to: Annotated[Path | None, typer.Option(help="the file to write")] = None, training: Training = False
) -> None:
    """Write one file for whoever helps: figures, codes and versions, nobody's name or words, no keys."""
    from bootstrap import make_desk
    from models import utc_now
    from services.doctor import findings, told

    config = load_config()
    desk = make_desk(config, "training" if training else "work")
    path = to or Path(f"otklik-doctor-{utc_now():%Y%m%dT%H%M}.json")
    desk.labeller.load()
    with desk.database.read.begin() as session:
        found = findings(session, config, mode=desk.mode, room=desk.room, classifier=desk.labeller.state)
    path.write_text(told(found), encoding="utf-8")
    print(f"{path.resolve()}\nIt holds figures, codes and versions. Read it before you send it.")


@app.command("import")
def import_(what: str, file: Path, source: int | None = None, training: Training = False) -> None:
    """Take a file in: `import calls FILE.csv`, the log of a telephone exchange; `--source` names the place."""
    if what != "calls":
        raise Stop("Only calls are imported here: import calls FILE.csv")
    from sqlalchemy import select

    from models import Source
    from services.call_files import run_import_calls

    desk = _desk(load_config(), training=training)
    with desk.database.read.begin() as session:
        query = select(Source).where(Source.platform == "calls")
        places = [one for one in session.scalars(query) if source in (None, one.id)]
        session.expunge_all()
    if len(places) != 1:
        raise Stop("Name the place of calls with --source: " + ", ".join(f"{one.id} {one.title}" for one in places))
    taken = run_import_calls(desk.database, places[0].id, desk.open_channel(places[0]), file.read_bytes())
    typer.echo(f"{taken.calls} calls taken, {taken.known} known, {taken.skipped} lines tell of no call")
    for number, why in taken.refused:
        typer.echo(f"  line {number}: {why}")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bench(name: str) -> None:
    """Run one benchmark of the folder benchmarks/ and print its figures."""
    import importlib

    found = sorted(path.stem for path in (ROOT / "benchmarks").glob("[a-z]*.py"))
    if name not in found:
        raise Stop(f"There is no benchmark «{name}». There are: {', '.join(found)}.")
    raise typer.Exit(importlib.import_module(f"benchmarks.{name}").main())
