"""What goes wrong for everybody at once, told from a viewer's few words: sound, picture, stream, link, payment."""

import re

WORDS: tuple[tuple[str, str], ...] = (
    (
        "sound",
        r"\b(звук\w*|микрофон\w*|голос\w*) .{0,20}\b(нет|нету|пропа\w+|исчез\w*|не ид[её]т|не слышно|не работает"
        r"|выключен\w*|фонит|хрипит|прерыва\w+|рв[её]тся|отвалил\w*|молчит)"
        r"|\b(нет|нету|пропал\w*|без|где|верните|включите|фонит) (у (меня|нас|всех) )?(звук\w*|микрофон\w*)"
        r"|не ?слышн\w*|не (слышу|слышим)\b|\bтишина\b|\bno (sound|audio)\b|\bnet zvuka\b",
    ),
    (
        "picture",
        r"\b(картинк\w*|изображени\w*|экран\w*|слайд\w*|презентаци\w*|видео) .{0,20}\b(нет|нету|пропа\w+|исчез\w*"
        r"|не (видно|ид[её]т|работает|показыва\w+|переключа\w+|листа\w+)|ч[её]рн\w+|завис\w*|застыл\w*)"
        r"|\b(нет|нету|пропал\w*) (у (меня|нас|всех) )?(картинк\w*|изображени\w*|видео)|\bч[её]рный экран"
        r"|\b(ничего|вас|экран\w*|слайд\w*) не видно|\bне видно (экран|слайд|презентац)\w*|\bblack screen\b",
    ),
    ("payment", r"\b(оплат\w*|кнопк\w* (оплат|купит)\w*|карт[аыу]) .{0,25}\bне (работает|проходит|нажимается"
                r"|открывается|грузится|принимает\w*)|\bне (могу|получается|проходит) .{0,12}(оплат|заплат)\w*"),
    ("link", r"\bссылк\w* .{0,20}\bне (работает|открывается|переходит|нажимается)|\bне открывается .{0,10}ссылк\w*"
             r"|\bбит\w+ ссылк\w*|\bссылк\w* (бит\w+|вед[её]т не туда)"),
    (
        "stream",
        r"\b(эфир\w*|трансляц\w*|вебинар\w*|стрим\w*|вс[её]|плеер\w*) .{0,20}\b(завис\w*|вис(ит|нет)|лага\w*"
        r"|тормоз\w*|прерва\w+|прерыва\w+|оборва\w+|вылет\w*|упал\w*|л[её]г|остановил\w*|крутится|грузится)"
        r"|\b(завис\w*|лага\w*|тормоз\w*|вылета\w*|выкидывает|выкинуло)\b",
    ),
)  # fmt: skip
"""The first that matches counts; the kinds are the lines of the incident table."""
_HERE = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in WORDS)
_FINE = re.compile(
    r"\b(звук|картинка|изображение|эфир|слышно|видно)\b.{0,12}\b(есть|норм\w*|отличн\w*|хорош\w*|появил\w*|вернул\w*|пош[её]л)"
    r"|\b(вс[её]|теперь|меня) .{0,10}(слышно|видно|работает)\b|\bпоявил\w* звук|\bзвук (есть|появил|вернул)",
    re.IGNORECASE,
)
LONGEST = 160
"""A longer text tells a story: somebody reads it as a question or a complaint."""


def trouble_of(text: str, signals: tuple[str, ...] = ()) -> str | None:
    """The kind of trouble, or None; ``signals``: the classifier's, for words that the table does not have."""
    if len(text) > LONGEST:
        return None
    if _FINE.search(text) and not re.search(r"\bне\b|\bнет\b", text, re.IGNORECASE):
        return None
    found = next((kind for kind, pattern in _HERE if pattern.search(text)), None)
    return found or ("stream" if "broadcast_failure" in signals else None)
