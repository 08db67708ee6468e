"""The one cast of invented people, shared by sandbox, tests and screenshots: viewers and staff."""

import base64
import hashlib
from dataclasses import dataclass

from sandbox import keys
from sandbox.store import Person


@dataclass(frozen=True, slots=True)
class Actor:
    """One invented person; the ids on the platforms follow from ``key`` and ``number`` and never change."""

    key: str
    number: int
    first: str
    last: str
    handle: str
    about: str

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}".strip()

    @property
    def mail(self) -> str:
        return f"{self.key}@people.example"

    def on(self, platform: str) -> Person:
        """The same person as the platform knows them: display name, handle and identity."""
        if platform == "youtube":
            return Person(platform, youtube_id(self.key), f"@{self.handle}", self.handle, self.key)
        if platform == "vk":
            return Person(platform, str(990_000_100 + self.number), self.name, self.handle, self.key)
        if platform == "telegram":
            return Person(platform, str(7_990_000_100 + self.number), self.name, self.handle, self.key)
        if platform == "max":
            return Person(platform, str(8_990_000_100 + self.number), self.name, self.handle, self.key)
        if platform == "ok":
            return Person(platform, str(990_000_000_100 + self.number), self.name, "", self.key)
        if platform == "calls":
            return Person(platform, f"+7999000{1000 + self.number}", self.name, "", self.key)
        return Person(platform, self.mail, self.name, "", self.key)


@dataclass(frozen=True, slots=True)
class Colleague:
    """One invented employee; ``role`` is a word of the desk, ``mail`` an address that cannot exist."""

    key: str
    name: str
    role: str
    department: str

    @property
    def mail(self) -> str:
        return f"{self.key}@lingva-park.example"


def youtube_id(seed: str) -> str:
    """A channel id of YouTube's form (UC and 22 characters), the same one for the same seed."""
    digest = hashlib.sha256(f"youtube:{seed}".encode()).digest()
    return "UC" + base64.urlsafe_b64encode(digest).decode()[:22]


_VIEWERS = (
    ("alina", "Алина", "Сафина", "alina_safina", "готовится к экзамену B2, курс «Разговорный рывок»"),
    ("boris", "Борис", "Шубин", "shubin_boris", "инженер, смотрит ролики по дороге"),
    ("vika", "Виктория", "Лапина", "vikalapina", "ученица девятого класса"),
    ("gleb", "Глеб", "Ярцев", "gleb_yar", "одиннадцатый класс, сдаёт английский"),
    ("dina", "Дина", "Хасанова", "dina.khas", "ученица вечерней группы"),
    ("egor", "Егор", "Мельник", "egormelnik07", "шутит под каждым видео"),
    ("zhenya", "Женя", "Котик", "zhenya_kotik", "подписчик без курса"),
    ("zoya", "Зоя", "Павловна", "zoya_pavlovna", "на пенсии, учит испанский"),
    ("igor", "Игорь", "Батурин", "baturin_i", "отец двоих учеников"),
    ("kira", "Кира", "Вольская", "kira.volskaya", "студентка переводческого факультета"),
    ("lev", "Лев", "Арсеньев", "lev_ars", "строгий зритель, ловит ошибки"),
    ("lena", "Елена", "Дроздова", "drozdova_len", "мама ученика шестого класса"),
    ("mila", "Мила", "Серова", "mila_serova", "новичок, немецкий с нуля"),
    ("max", "Максим", "Гринёв", "grinev_max", "программист, платил помесячно"),
    ("nastya", "Настя", "Белкина", "belkina.nastya", "ученица, сдаёт домашние работы в полночь"),
    ("nikita", "Никита", "Жаров", "nik_zharov", "десятый класс"),
    ("oksana", "Оксана", "Ткач", "oksana_tkach", "бухгалтер, английский для работы"),
    ("pasha", "Павел", "Рогозин", "rogozin_p", "недовольный клиент, ждёт возврата"),
    ("polina", "Полина", "Ершова", "polina_ersh", "ученица, ведёт конспекты"),
    ("rita", "Рита", "Ковалёва", "rita.kov", "учится с телефона"),
    ("roman", "Роман", "Чижов", "chizhov_roman", "выпускник прошлого потока"),
    ("sveta", "Светлана", "Жукова", "sveta_zhukova", "мама одиннадцатиклассницы"),
    ("semyon", "Семён", "Лобов", "lobov_semyon", "смотрит всё на двойной скорости"),
    ("tanya", "Татьяна", "Носова", "nosova_t", "учительница из сельской школы"),
    ("ulya", "Ульяна", "Фомина", "ulya_fom", "восьмой класс, пишет без знаков препинания"),
    ("fedor", "Фёдор", "Кузин", "fedor_kuzin", "переезжает, учит немецкий"),
    ("katya", "Катя", "Юрьева", "katya.yur", "ученица курса произношения"),
    ("arslan", "Арслан", "Гиреев", "arslan_gir", "студент, ищет рассрочку"),
    ("marta", "Marta", "Novak", "marta_novak_prg", "пишет по-английски, учит русский"),
    ("tomas", "Tomas", "Reed", "tomas.reed", "пишет по-английски, муж ученицы"),
    ("dohod", "Доход", "Без Вложений", "dohod_online_24", "спам: заработок"),
    ("kristi", "Кристи", "Лайт", "kristi_light_x", "спам: приманка в профиль"),
    ("promo", "Promo", "Boost", "promo_boost_team", "спам: накрутка"),
)

VIEWERS = {row[0]: Actor(row[0], place, *row[1:]) for place, row in enumerate(_VIEWERS, start=1)}

STAFF = {
    person.key: person
    for person in (
        Colleague("marina", "Марина Котова", "head", "Отдел по работе с клиентами"),
        Colleague("darya", "Дарья Лис", "smm", "Отдел по работе с клиентами"),
        Colleague("oleg", "Олег Сомов", "curator", "Кураторы"),
        Colleague("nina", "Нина Рябинина", "curator", "Кураторы"),
        Colleague("timur", "Тимур Гараев", "technical", "Техническая служба"),
        Colleague("vera", "Вера Полянская", "accounting", "Бухгалтерия"),
        Colleague("yulia", "Юлия Стриж", "marketing", "Маркетинг"),
    )
}

# The person whose token reads the VK wall: an administrator of the community, so her own comments are ours too.
VK_ADMIN = Person("vk", "990000002", STAFF["darya"].name, "darya_lis", "darya")

SCHOOL = {
    "youtube": Person("youtube", keys.YOUTUBE_CHANNEL, "@lingva-park", "lingva-park", "school"),
    "vk": Person("vk", keys.OURS["vk"], keys.SCHOOL, keys.SCREEN_NAME, "school"),
    "telegram": Person("telegram", keys.OURS["telegram"], keys.SCHOOL, keys.TELEGRAM_BOT_NAME, "school"),
    "max": Person("max", keys.MAX_BOT, keys.SCHOOL, keys.TELEGRAM_BOT_NAME, "school"),
    **{
        name: Person(name, keys.OURS[name], keys.SCHOOL, "", "school")
        for name in ("ok", "feed", "form", "calls", "getcourse")
    },
    "wordpress": Person("wordpress", keys.BLOG_USER_ID, f"Школа «{keys.SCHOOL}»", keys.BLOG_USER, "school"),
}


MESSENGERS = {"telegram": 7_990_000_500, "max": 8_990_000_500}
"""Where employees have accounts of their own, and from what number on: they talk to the school's bot there."""


def colleagues(platform: str) -> list[Person]:
    """The school's employees as they are in a messenger."""
    first = MESSENGERS.get(platform)
    if first is None:
        return []
    return [Person(platform, str(first + n), one.name, one.key, one.key) for n, one in enumerate(STAFF.values())]


def everyone(platform: str) -> list[Person]:
    """All persons one platform starts with."""
    extra = {
        "vk": [VK_ADMIN],
        "ok": [Person("ok", keys.OK_ADMIN, STAFF["darya"].name, "", "darya")],
        "wordpress": [Person("wordpress", keys.BLOG_READER_ID, "Ученик", keys.BLOG_READER, "reader")],
    }
    own = [SCHOOL[platform], *extra.get(platform, []), *colleagues(platform)]
    return [*own, *(actor.on(platform) for actor in VIEWERS.values())]
