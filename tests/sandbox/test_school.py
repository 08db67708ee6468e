"""The invented school: enough people and words, every text once, times that end now."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from sandbox import cast, keys, school

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)


def test_week_and_trickle_are_large_enough_and_no_text_is_said_twice() -> None:
    week, later = school.week(), school.trickle()
    assert len(week) >= 180
    assert len(later) >= 60
    texts = [line.text for line in week + later]
    assert len(set(texts)) == len(texts)
    assert len({line.key for line in week + later}) == len(texts)


def test_every_line_has_a_label_but_the_schools_own() -> None:
    for line in school.week() + school.trickle():
        assert (line.label in school.LABELS) == (line.by != "school"), line.key


@pytest.mark.parametrize("label", school.LABELS)
def test_every_label_is_there_in_week_and_trickle(label: str) -> None:
    assert sum(line.label == label for line in school.week()) >= 8
    assert sum(line.label == label for line in school.trickle()) >= 4


BUSY = ("youtube", "vk", "telegram", "wordpress")


@pytest.mark.parametrize("platform", BUSY)
def test_each_great_platform_has_publications_and_a_busy_week(platform: str) -> None:
    publications = [one for one in school.publications(NOW) if one.platform == platform]
    assert 8 <= len(publications) <= 10
    assert sum(line.platform == platform for line in school.week()) >= 35
    assert sum(line.platform == platform for line in school.trickle()) >= 10


@pytest.mark.parametrize("platform", ["max", "ok", "feed", "form"])
def test_each_small_platform_has_something_to_see_and_something_to_come(platform: str) -> None:
    labels = {line.label for line in school.week() if line.platform == platform}
    assert {"question", "complaint", "wish", "praise"} <= labels
    assert any(line.platform == platform for line in school.trickle())


def test_speakers_and_places_exist_and_answers_come_after_questions() -> None:
    places = {one.key for one in school.publications(NOW)}
    seen: dict[str, str] = {}
    for line in school.week() + school.trickle():
        assert line.by == "school" or line.by in cast.VIEWERS, line.key
        assert line.under in places or line.under.startswith("dialog"), line.key
        assert line.to is None or seen[line.to] == line.platform, line.key
        seen[line.key] = line.platform


def test_the_cast_is_thirty_people_with_their_own_identity_everywhere() -> None:
    assert len(cast.VIEWERS) >= 30
    assert set(cast.STAFF) == {"marina", "darya", "oleg", "nina", "timur", "vera", "yulia"}
    for platform in school.PLATFORMS:
        ids = [person.id for person in cast.everyone(platform)]
        assert len(set(ids)) == len(ids)


def test_times_mean_days_before_today_in_moscow_or_hours_ago() -> None:
    assert datetime.fromtimestamp(school.moment("-1d 20:15", NOW), UTC) == datetime(
        2026, 11, 24, 17, 15, tzinfo=UTC
    )
    assert datetime.fromtimestamp(school.moment("2h5m", NOW), UTC) == NOW - timedelta(hours=2, minutes=5)
    with pytest.raises(ValueError, match="not a time"):
        school.moment("tomorrow", NOW)


def test_the_week_is_densest_in_the_evening() -> None:
    hours = Counter(int(line.at[-5:-3]) for line in school.week() if line.at.startswith("-"))
    assert sum(hours[hour] for hour in range(18, 23)) > 0.6 * hours.total()


def test_sources_name_what_each_channel_needs() -> None:
    by_platform = {source["platform"]: source for source in keys.sources("http://127.0.0.1:5/")}
    assert list(by_platform) == list(school.PLATFORMS)
    assert by_platform["youtube"]["settings"]["base_url"] == "http://127.0.0.1:5/youtube/"
    assert by_platform["wordpress"]["settings"]["base_url"] == "http://127.0.0.1:5/blog/wp-json/"
    assert {name: sorted(source["secrets"]) for name, source in by_platform.items()} == {
        "youtube": ["client_secret", "refresh_token"],
        "vk": ["community_token", "user_token"],
        "telegram": ["token"],
        "wordpress": ["password"],
        "max": ["token"],
        "ok": ["access_token", "application_secret", "bot_token"],
        "feed": [],
        "form": [],
        "calls": ["secret"],
        "getcourse": ["secret_key"],
    }


@pytest.mark.parametrize("hour", range(24))
def test_the_newest_word_in_max_is_the_dialogue_at_every_hour(hour: int) -> None:
    """The first call of updates brings the latest one alone, and no list names a dialogue."""
    now = NOW.replace(hour=hour)
    newest = max(
        (line for line in school.week() if line.platform == "max"), key=lambda line: school.moment(line.at, now)
    )
    assert newest.under == "dialog"
