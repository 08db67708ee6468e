"""First step of the classifier: a text becomes tokens that know where they stood in the original."""

import re
import unicodedata
from dataclasses import dataclass

# Longer texts are read up to here: letters with a pasted history say what they want at the top, and a
# pasted book must not hold the worker for seconds.
LIMIT = 8_000

# Letters that look alike. Spam swaps them to slip past word lists («3аpaбοτok»), so a word that mixes
# scripts is folded into the script of its unmistakable letters before anything else is read from it.
_TO_CYRILLIC = str.maketrans("aceopxykmthbnuigdsαοεκρτυχνπνικᴏ0346", "асеорхукмтнвпиигдсаоекртухвпвикоозчб")
_TO_LATIN = str.maketrans("аеорсухкмтнвіѕјгипαοεκρτυχνᴏ01", "aeopcyxkmthbisjrunaoekptyxvool")
_CYRILLIC_ONLY = frozenset("бджзйлфцчшщъыьэюяёєґї")
_LATIN_ONLY = frozenset("dfgijlqrsvwz")
_CYRILLIC = re.compile("[а-яіїєґ]")

_MIXED = re.compile(
    r"\b(?:(?=[^\W_]*[а-яёіїєґѕј])(?=[^\W_]*[a-zα-ωᴏ])[^\W_]{2,}"  # two scripts inside one word
    r"|(?=[^\W_]{5,})[а-яёіїєґ]+[0346]+[а-яёіїєґ]+)"  # digits inside a word: раб0та
)

_TOKEN = re.compile(
    r"(?P<url>(?:https?://|www\.|t\.me/)\S+|\b[\w-]{1,63}\.(?:ru|com|net|org|io|me|рф|su|ly|gl|be|cc|info)\b(?:/\S*)?)"
    r"|(?P<mail>\b[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]+)"
    r"|(?P<at>@\w+)"
    r"|(?P<mask>\[[a-z_]{3,14}\])"
    r"|(?P<time>\b\d{1,2}(?::\d\d){1,2}\b)"
    r"|(?P<number>\d+(?:[.,]\d+)*)"
    r"|(?P<word>[^\W\d_](?:[^\W_]|(?<=\w)['’](?=[^\W\d_]))*)"
    r"|(?P<smile>[:;=]-?[)(dp/|]|[)]{2,}|[(]{2,})"
    r"|(?P<mark>[?!]+|\.{2,}|…|[$€₽%+#])"
    r"|(?P<sign>[^\w\s.,;:\-–—()\[\]{}\"'«»“”„`/\\|*&<>=~^]\ufe0f?)"
)

# Exports of real conversations mask personal data with such words.
_MASKS = {"username": "@", "user": "@", "name": "@", "email": "<mail>", "url": "<url>", "link": "<url>"}
_REPEAT = re.compile(r"(\w)\1{2,}")


class _Fold(dict[int, str]):
    """A table for `str.translate` that fills itself: lower case and compatibility forms, one for one."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        # Spam writes with mathematical letters and full-width forms; NFKC brings them home. Whatever would
        # change the length stays as it is, or the offsets would drift.
        for form in (unicodedata.normalize("NFKC", char).lower(), char.lower(), char):
            if len(form) == 1:
                break
        folded = {"ё": "е", "’": "'"}.get(form, form)
        # A space stays a space and nothing else becomes one.
        self[code] = folded if folded.isspace() == char.isspace() else char
        return self[code]


_FOLD = _Fold()


@dataclass(frozen=True, slots=True)
class Token:
    """One token: `norm` is what the features see, `start` and `end` are offsets in the original text."""

    kind: str
    norm: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as the features see it.

    `folded` has the length of the original text cut at LIMIT, so offsets are shared. `disguised` counts words
    of mixed script. `view` is the same text carried over from transliteration, empty if it was none.
    """

    original: str
    folded: str
    tokens: tuple[Token, ...]
    disguised: int
    view: str


def fold(text: str) -> tuple[str, int]:
    """Lower-case, ё→е, unmix look-alike letters; keeps the length. Returns the text and the words unmixed."""
    lowered = text.translate(_FOLD)
    count = 0

    def unmix(match: re.Match[str]) -> str:
        nonlocal count
        word = match[0]
        count += 1
        # Letters without a double decide; without them the more numerous script does.
        cyrillic = (sum(char in _CYRILLIC_ONLY for char in word), len(_CYRILLIC.findall(word)))
        latin = (sum(char in _LATIN_ONLY for char in word), sum("a" <= char <= "z" for char in word))
        return word.translate(_TO_CYRILLIC if cyrillic >= latin else _TO_LATIN)

    return _MIXED.sub(unmix, lowered), count


def read(text: str) -> Reading:
    """Read a text of any length (only the first LIMIT characters count); never fails."""
    original = text[:LIMIT]
    folded, disguised = fold(original)
    matches = list(_TOKEN.finditer(folded))
    translit = _is_translit([match[0] for match in matches if match.lastgroup == "word"], folded)
    tokens = tuple(_token(match, translit) for match in matches)
    view = " ".join(token.norm for token in tokens if token.kind in ("word", "mark")) if translit else ""
    return Reading(original, folded, tokens, disguised, view)


def _token(match: re.Match[str], translit: bool) -> Token:
    kind, found = match.lastgroup or "sign", match[0]
    if kind == "word":
        norm = _REPEAT.sub(r"\1", found)
        norm = to_cyrillic(norm) if translit else norm
    elif kind == "number":
        norm = "0" * min(len(found), 6)
    elif kind == "mask":
        norm = _MASKS.get(found[1:-1], "<#>")
    elif kind == "smile":
        norm = found if found[0] in ":;=" else found[0] * 2
    elif kind in ("mark", "sign"):
        norm = found.rstrip("\ufe0f")[:2]
    else:
        norm = {"at": "@"}.get(kind, f"<{kind}>")
    return Token(kind, norm, match.start(), match.end())


# Russian words as people type them in Latin letters, the commonest first letters of a message among them.
_TYPED_WORDS = (
    "ne kak chto shto eto gde kogda pochemu zachem spasibo spasiba sposibo pojaluista pozhaluista pozhaluysta "
    "pojalusta ochen privet zdravstvuite zdravstvuyte zdrastvuyte mozhno mojno nado nujno nuzhno budet esli "
    "tolko uje uzhe esche eshe yest menya tebya vas vam ya mne moya svoi vsem vse vsegda prosto dlya "
    "podskazhite podskajite skolko stoit kto nibud ili takoi takoe tak takogo urok uroki urokov "
    "snimite snimi dobavte sdelaite sdelayte bolshe ucheba klass krasavchik molodec molodcy molodets horosho "
    "xorosho khorosho ploho rabotaet otkryvaetsya zvuk dengi verni vernite kakoi kakaya kotoryi etot posle "
    "nichego nikto vopros otvet otvetite otvette pomogite ponyatno ponyal ponyala budu hochu xochu khochu "
    "interesno luchshiy luchshii opyat podpishis kanal smotryu smotru prepod bylo byl esche takzhe toje tozhe "
    "pishi pishite lichku deshevo prodam zarabotok zapis zapisatsya ekzamen ujasno ujasniy"
)
_TYPED = frozenset(_TYPED_WORDS.split())


def _is_translit(words: list[str], folded: str) -> bool:
    if not words or _CYRILLIC.search(folded):
        return False
    known = [word for word in words if word in _TYPED]
    telling = len(known) > 1 or any(len(word) > 3 for word in known)
    return telling and 4 * len(known) >= len(words)


_DIGRAPHS = (
    ("shch", "щ"),
    ("sch", "щ"),
    ("sh", "ш"),
    ("ch", "ч"),
    ("zh", "ж"),
    ("kh", "х"),
    ("ts", "ц"),
    ("yu", "ю"),
    ("ju", "ю"),
    ("iu", "ю"),
    ("ya", "я"),
    ("ja", "я"),
    ("ia", "я"),
    ("yo", "е"),
    ("ye", "е"),
    ("iy", "ий"),
    ("yi", "ый"),
    ("ay", "ай"),
    ("oy", "ой"),
    ("ey", "ей"),
)
_DIGRAPH = re.compile("|".join(latin for latin, _ in _DIGRAPHS))
_LETTERS = str.maketrans("abcdefghijklmnopqrstuvwxyz'", "абцдефгхийклмнопкрстуввхызь")


def to_cyrillic(word: str) -> str:
    """A word typed in Latin letters as it would stand in Russian: «podskazhite» → «подскажите»."""
    table = dict(_DIGRAPHS)
    return _DIGRAPH.sub(lambda match: table[match[0]], word).translate(_LETTERS)
