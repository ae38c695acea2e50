"""Which language a text is in."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimwatch.text.language import _obvious, language_of


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("vi", "Uống nước chanh nóng mỗi sáng là khỏi bệnh, bà con chia sẻ ngay"),
        ("vi", "uong nuoc chanh nong moi sang la khoi benh, ba con chia se ngay"),
        ("vi", "Ai cung biet vac xin khong co tac dung gi ca ma van bat tiem"),
        ("vi", "mng oi dung tin may cai clip tren fb nha, ko co dau"),
        ("vi", "Mọi người ơi vaccine gây side effect rất nặng please share"),
        ("en", "Drinking hot lemon water every morning cures the virus, please share"),
        ("en", "A man in the city said that the new vaccine has not been tested on a child"),
        ("id", "Vaksin tidak berguna sama sekali dan pemerintah tahu soal itu sejak lama"),
        ("fr", "Boire de l'eau chaude avec du citron guérit le virus selon un médecin"),
        ("es", "Beber agua caliente con limón cura el virus según un médico famoso"),
        ("zh", "喝热柠檬水可以治愈这种病毒请大家转发给家人和朋友们知道"),
        ("th", "ดื่มน้ำมะนาวร้อนทุกเช้ารักษาโรคได้ช่วยแชร์กันหน่อยนะคะ"),
        ("ru", "Горячая вода с лимоном лечит вирус, говорит врач"),
    ],
)
def test_languages_are_told(language: str, text: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    "text", ["", "ok", "covid 19", "café olé", "fêté, âgé", "😀" * 40, "Hello my friends", "12345678 " * 9]
)
def test_short_texts_stay_undetermined(text: str) -> None:
    assert language_of(text) == "und"


@pytest.mark.parametrize("text", ["Đừng tin", "được", "đó", "không hiệu quả", "cấp cứu"])
def test_vietnamese_letters_settle_short_texts(text: str) -> None:
    assert language_of(text) == "vi"


def test_links_names_and_tags_do_not_count() -> None:
    assert (
        language_of("@beautiful.morning #wonderfulweather https://example.org/great/news [user] [link x.vn]") == "und"
    )
    assert language_of("#breakingnews @beautifulworld khong ai noi cho toi biet chuyen nay ca") == "vi"


def test_a_hint_does_not_overrule_a_plain_answer() -> None:
    assert language_of("Drinking hot lemon water every morning cures the virus", hint="vi") == "en"


def test_a_hint_settles_a_doubt() -> None:
    names = "Lagos Kano Ogun Bauchi Kaduna Sokoto Katsina"
    assert language_of(names, hint="en") in {language_of(names), "en"}


@pytest.mark.parametrize(
    "text", ["\x00\x01" * 30, "\ud800" * 30, "\ufffe" * 30, "hello there my friend \U0010ffff" * 3]
)
def test_code_points_that_the_detector_refuses_do_no_harm(text: str) -> None:
    assert language_of(text) in {"und", "en"}


@settings(deadline=None)
@given(st.text(st.characters(), min_size=20), st.text(max_size=3))
def test_any_text_gets_a_two_letter_code_or_und(text: str, hint: str) -> None:
    language = language_of(text, hint)
    assert language == "und" or (len(language) == 2 and language.islower())


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Bộ Y tế khuyến cáo người dân đi tiêm nhắc lại", "vi"),
        ("The ministry says that it is not a cure for the flu and that you should not drink it", "en"),
        ("Het is niet de bedoeling dat er water in de was komt, of dat men ervan drinkt", "nl"),
        ("Toi bi benh the nhe, co duoc tiem khong? Xin cam on bac si, toi hoi cho ca nha", "vi"),
    ],
)
def test_what_is_obvious_is_told_as_the_detectors_tell_it(text: str, language: str) -> None:
    assert language_of(text) == language
    assert _obvious(text) in ("", language)
