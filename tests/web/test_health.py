"""/health: public, without a name or a word of anybody."""

from datetime import timedelta

from models import Act, utc_now
from services.leases import hold_lease
from services.schema import newest_revision


def test_a_stranger_may_ask(visitor, desk):
    answer = visitor.get("/health")
    assert answer.status_code == 200
    assert answer.json == {
        "status": "degraded", "revision": newest_revision(), "scheduler": False, "stuck_acts": 0,
        "classifier": "ready", "disk": "ok",
    }  # fmt: skip


def test_all_is_well_while_the_scheduler_leads(visitor, database, desk):
    with database.write.begin() as session:
        hold_lease(session, "scheduler", "one", 20)
    assert visitor.get("/health").json["status"] == "ok"


def test_a_stuck_act_is_told(visitor, database, cast):
    with database.write.begin() as session:
        hold_lease(session, "scheduler", "one", 20)
        late = utc_now() - timedelta(hours=1)
        session.add(Act(kind="like", source_id=cast.source_id, token="t", target={}, due_at=late))
    told = visitor.get("/health").json
    assert (told["status"], told["stuck_acts"]) == ("degraded", 1)


def test_without_a_database_it_fails_in_words(visitor, database):
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE lease")
    answer = visitor.get("/health")
    assert (answer.status_code, answer.json) == (503, {"status": "failed"})
