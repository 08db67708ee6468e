"""What a field is called in a paper: Russian whatever the language of the screen, as contracts are."""

_PERSON = {
    "full": "ФИО", "last": "фамилия", "first": "имя", "middle": "отчество", "gender": "пол",
    "birth_date": "дата рождения", "address": "адрес", "phone": "телефон", "email": "адрес электронной почты",
    "id_type": "документ, удостоверяющий личность", "id_series": "серия документа", "id_no": "номер документа",
    "id_issued_by": "кем выдан документ", "id_date": "дата выдачи документа", "id_code": "код подразделения",
    "snils": "СНИЛС", "inn": "ИНН", "relation": "степень родства",
    "authority": "документ, подтверждающий полномочия", "edu_level": "уровень образования",
}  # fmt: skip
_FIRM = {
    "name_full": "полное наименование", "name_short": "сокращённое наименование", "inn": "ИНН", "kpp": "КПП",
    "ogrn": "ОГРН", "address": "адрес", "phone": "телефон", "email": "адрес электронной почты",
    "bank_name": "банк", "bik": "БИК", "acc": "расчётный счёт", "corr": "корреспондентский счёт",
    "signer_name": "подписант", "signer_position": "должность подписанта",
    "signer_basis": "основание полномочий подписанта", "authority_date": "дата документа о полномочиях",
}  # fmt: skip
_PROGRAM = {
    "name": "наименование программы", "kind": "вид программы", "level": "уровень программы",
    "direction": "направленность программы", "hours": "объём, часов", "form": "форма обучения",
    "dot": "дистанционные технологии", "term": "срок освоения", "start": "начало обучения",
    "end": "окончание обучения", "doc_kind": "выдаваемый документ", "qualification": "квалификация",
    "area": "область деятельности", "services": "перечень услуг", "meetings": "порядок встреч",
}  # fmt: skip
_CONTRACT = {
    "city": "место заключения", "pay_order": "порядок оплаты", "pep": "порядок простой электронной подписи",
    "valid_to": "срок действия договора",
}  # fmt: skip
_PARTIES = {
    "client": "заказчик", "student": "обучающийся", "guardian": "законный представитель", "payer": "плательщик",
    "corp": "организация",
}  # fmt: skip


def title_of(name: str) -> str:
    """«Заказчик: адрес» for «client.address»; the name itself where there is no better one."""
    group, _, field = name.partition(".")
    if name == "price":
        return "Стоимость"
    if group in _PARTIES:
        word = (_FIRM if group == "corp" else _PERSON).get(field)
        return f"{_PARTIES[group].capitalize()}: {word}" if word else name
    word = {"program": _PROGRAM, "contract": _CONTRACT}.get(group, {}).get(field)
    return word.capitalize() if word and not word[:2].isupper() else word or name
