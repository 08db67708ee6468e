"""«Мы уже отвечали» above the composer."""

from sqlalchemy import select

from models import Act, utc_now


def test_the_nearest_answer_is_offered_to_who_replies(smm, enter, open_case, desk) -> None:
    first = open_case("Как получить сертификат?", "Борис Лунин")
    smm.post(f"/inbox/{first}/reply", text="Борис, он в <кабинете>.", form_key="f-1", now="1")
    with desk.database.write.begin() as session:
        act = session.scalars(select(Act)).one()
        act.state, act.accepted_at = "accepted", utc_now()
    second = open_case("Как получить сертификат курса?", "Анна Яр")
    assert f"/inbox/{second}/answered" in smm.get(f"/inbox/{second}").text
    page = smm.get(f"/inbox/{second}/answered", htmx=True).text
    assert "Анна, он в &lt;кабинете&gt;." in page
    assert f'href="/inbox/{first}"' in page
    assert "сегодня" in page
    assert smm.get(f"/inbox/{first}/answered", htmx=True).text.strip() == ""
    assert enter("curator").get(f"/inbox/{second}/answered").status_code == 403
