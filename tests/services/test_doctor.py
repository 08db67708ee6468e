"""The file for whoever helps: canaries in every column of text and every setting stay out of it."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import String, Text, update

from config import Config, DatabaseConfig, NetworkConfig, PathsConfig, SourceConfig, WebConfig
from models import Base, Delivery, Message, RawItem, Source, utc_now
from services.doctor import code, findings, told
from services.errors import Forbidden
from services.leases import hold_lease
from services.nightly import Rule, run_kept_backup
from services.processes import note_alive
from services.room import Room
from services.state import snapshot, state_of, versions

CANARY = "Канарейка Canary 79123456789 canary@school.example"


def test_no_canary_gets_out(cast, database, tmp_path) -> None:
    cast.write(CANARY, author=CANARY)
    with database.write.begin() as session:
        raw = {"kind": "x", "container": "c", "external_id": "e", "digest": "d", "body": b"1"}
        session.add(RawItem(source_id=cast.source_id, state="quarantined", error=CANARY, **raw))
        session.add(Delivery(staff_id=cast.head.staff_id, kind="x", form_key="f", token="t"))
        note_alive(session, "worker", "host-canary:1")
    with database.write.begin() as session:
        for table in Base.metadata.sorted_tables:
            for column in table.columns:
                kind = getattr(column.type, "impl_instance", column.type)
                if not isinstance(kind, String | Text) or column.unique or column.foreign_keys:
                    continue
                if column.name in ("name", "holder") and table.name == "lease":
                    continue
                with session.begin_nested() as nested:
                    try:
                        session.execute(update(table).values({column.name: CANARY}))
                    except Exception:  # a column of a unique pair, or shorter than the canary
                        nested.rollback()
    config = Config(
        database=DatabaseConfig(url="postgresql://canary:canary@canary/canary"),
        paths=PathsConfig(var=Path("/canary"), key_file=Path("/canary/key")),
        web=WebConfig(public_url="https://canary.example", trusted_proxies=["10.0.0.canary"]),
        network=NetworkConfig(proxies={"telegram": "http://canary"}, allow_private=["canary:1"]),
        sources=[
            SourceConfig(name="canary", platform="wordpress", settings={"canary": "x"}, secrets={"a": "CANARY"})
        ],
    )  # fmt: skip
    with database.read.begin() as session:
        body = told(findings(session, config, mode="work", room=Room(tmp_path), classifier=CANARY))
    low = body.lower()
    for part in ("canary", "канарейка", "79123456789", "school.example", "host-"):
        assert part not in low, part
    found = json.loads(body)
    assert found["rows"]["message"] == 1
    assert found["state"]["quarantined"] in (0, 1)
    assert found["settings"]["web"]["public_url"] == "set"
    assert found["settings"]["sources"] == "1 given"
    assert found["classifier"] == "?"


@pytest.mark.parametrize("word", ["act.accepted", "network", "rate_limit", None])
def test_codes_pass(word) -> None:
    assert code(word) == word


@pytest.mark.parametrize("word", ["Анна", "a@b", "ключ", "a b", "A1", "x" * 80, ""])
def test_anything_else_does_not(word) -> None:
    assert code(word) == "?"


def test_the_state_of_a_desk(cast, database, tmp_path) -> None:
    cast.write("Когда вебинар?")
    now = utc_now()
    with database.write.begin() as session:
        hold_lease(session, "scheduler", "one", 20)
        note_alive(session, "all", "host:1")
        session.get_one(Source, cast.source_id).read_at = now - timedelta(minutes=30)
        message = session.query(Message).one()
        message.ingested_at = now - timedelta(minutes=5)
    run_kept_backup(database, tmp_path / "b", Rule(), "Europe/Moscow")
    with database.read.begin() as session:
        found = state_of(session, cast.head)
        with pytest.raises(Forbidden):
            state_of(session, cast.smm)
        assert found.unlabelled == 1
        assert found.lag > timedelta(minutes=28)
        assert found.backup.at is not None
        assert [one.kind for one in found.processes if one.alive] == ["all"]
        assert {"otklik", "python", "database", "flask"} <= set(versions(session))
        assert snapshot(session, now + timedelta(days=2)).backup.late


def test_metrics_are_read_as_prometheus_reads_them(cast, database) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    from services.metrics import exposition

    with database.read.begin() as session:
        body = exposition(snapshot(session), free=5, full=True).decode()
    values = {
        sample.name: sample.value for family in text_string_to_metric_families(body) for sample in family.samples
    }
    assert (values["otklik_disk_free_bytes"], values["otklik_disk_full"], values["otklik_up"]) == (5, 1, 0)
