"""The training school: ten places, all of which bring something at the first reading or call the desk."""

from sqlalchemy import func, select

from models import Message, Source, utc_now
from services.accounts import find_by_email
from services.facts import is_over, list_facts
from services.hooks import run_receive
from services.sources import check_settings
from services.training import FACTS, HEAD_EMAIL, hook_paths, seed_facts, seed_people, seed_training
from tests.platforms import meeting

SECRET = b"k" * 32


def test_every_place_of_the_school_brings_messages(database, tmp_path) -> None:
    with meeting(database, tmp_path / "platforms") as met:
        places = met.running.http.get("/_sandbox/sources").json()
        with database.write.begin() as session:
            for row in session.scalars(select(Source)):
                row.declared_as = f"sandbox-{row.platform}"
            seed_training(session, met.keyring, places)
            seed_training(session, met.keyring, places)
            pauses = {row.platform: row.every_seconds for row in session.scalars(select(Source))}
            paths = hook_paths(session, SECRET)
        assert len(pauses) == len(places) + 1 == 11
        assert pauses["form"] > 3600 > pauses["max"], "who calls us is not asked every three seconds"
        assert {"form", "calls", "getcourse"} <= set(paths)
        for platform in met.sources:
            met.collect(platform)
            if platform == "telegram":  # a bot begins where it is first asked
                met.collect(platform)
        told = b'{"text": "?", "email": "zoya@people.example", "consents": {"answer": true}}'
        kind, token = paths["form"].split("/")[2:]
        assert run_receive(database, SECRET, met.open_channel, kind, token, told, {}) == 1
        with database.read.begin() as session:
            rows = session.execute(
                select(Source.platform, func.count(Message.id)).outerjoin(Message).group_by(Source.platform)
            )
            counts = {row[0]: row[1] for row in rows}
        assert {name for name, count in counts.items() if not count} == {"calls", "getcourse", "manual"}


def test_settings_of_the_places_are_taken_by_their_channels(tmp_path) -> None:
    from sandbox import keys

    for place in keys.sources("http://127.0.0.1:5/"):
        check_settings(place["platform"], {**place["settings"], **place["secrets"]})


def test_the_facts_stand_there_once_and_are_the_heads(database) -> None:
    with database.write.begin() as session:
        seed_facts(session)
        assert list_facts(session) == []
        seed_people(session)
        seed_facts(session)
        seed_facts(session)
        facts = list_facts(session)
        head = find_by_email(session, HEAD_EMAIL)
        assert head is not None
        assert sorted(one.code for one in facts) == sorted(row[0] for row in FACTS)
        assert {one.owner_id for one in facts} == {head.id}
        assert not any(is_over(one, utc_now().date()) for one in facts)
