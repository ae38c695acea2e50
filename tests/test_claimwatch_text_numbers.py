"""Numbers that reach or name a person. All are invented."""

import pytest

from claimwatch.text.numbers import without_numbers


@pytest.mark.parametrize(
    "phone",
    [
        "0912 345 678",
        "0912.345.678",
        "0912-345-678",
        "0912 34 56 78",
        "091 234 5678",
        "0912345678",
        "09 12 34 56 07",
        "0 9 1 2 3 4 5 6 7 8",
        "(0912) 345 678",
        "+84 91.234.5678",
        "+84 (0)91 234 5678",
        "+84912345678",
        "0084 912 345 678",
        "84912345678",
        "(028) 3822-1234",
        "028 3822 1234",
        "0236 3.822.123",
        "(04) 3822 1234",
        "０９１２３４５６７８",
        "0912\u00a0345\u2009678",
        "+44 20 7946 0958",
        "+33 6 12 34 56 78",
        "+1 (555) 123-4567",
        "555-123-4567",
    ],
)
def test_phone_numbers_of_every_shape_go(phone: str) -> None:
    assert without_numbers(f"gặp {phone}, nhé") == "gặp [phone], nhé"


def test_phone_numbers_beside_each_other_all_go() -> None:
    assert without_numbers("0912345678/0987654321 - 0912.345.678") == "[phone]/[phone] - [phone]"


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("sđt: 84.912.345.678", "sđt: [phone]"),
        ("gọi 912 345 678 ngay", "gọi [phone] ngay"),
        ("LH0912345678", "LH[phone]"),
        ("CCCD: 123456789012", "CCCD: [id]"),
        ("cmnd số 123 456 789", "cmnd số [id]"),
        ("Can cuoc cong dan 123456789012", "Can cuoc cong dan [id]"),
        ("123456789 (CMND)", "[id] (CMND)"),
        ("hộ chiếu B1234567", "hộ chiếu B[id]"),
        ("001234567890", "[id]"),
        ("001 234 567 890", "[id]"),
        ("4111 1111 1111 1111", "[card]"),
        ("4111111111111111", "[card]"),
        ("3782-822463-10005", "[card]"),
        ("stk 1234567 Ngân hàng Mẫu", "stk [card] Ngân hàng Mẫu"),
        ("Số tài khoản Ngân hàng Mẫu: 1234 5678 90", "Số tài khoản Ngân hàng Mẫu: [card]"),
        ("trang 100004567890123", "trang [id]"),
    ],
)
def test_papers_cards_and_accounts_go(text: str, scrubbed: str) -> None:
    assert without_numbers(text) == scrubbed


@pytest.mark.parametrize(
    "text",
    [
        "1.234.567 ca",
        "tăng +1.234.567 ca",
        "1.234.567.890 đồng",
        "84.912.345.678 đồng",
        "2,345,678,901 doses",
        "19.000.000 liều",
        "12/03/2020",
        "từ 03/04/2020 đến 10/04/2020",
        "2020-03-12 10:30",
        "12-03-2020 10:30",
        "08-09-2021 2021-10-11",
        "ngày 08.09.2021 10.11.2021",
        "8h30, 08:30-17:00",
        "12,5% và 0,0912345678",
        "giá 1200000000 đồng",
        "tài khoản có 19.000.000 đồng",
        "stk nhận 500000000 đồng",
        "gọi 1900 9095 hoặc 19003228",
        "hotline 1900 9095 1900 3228, 115, 1022",
        "COVID-19, H5N1, QĐ 3638/2021",
        "mã 12345678",
        "giải 05 07 08 09 10",
        "4111 1111 1111 1112",
        "căn cước cho 50.000.000 người",
    ],
)
def test_counts_dates_money_and_hotlines_stay(text: str) -> None:
    assert without_numbers(text) == text
