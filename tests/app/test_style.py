import re

from sslmepr.app import style
from sslmepr.report import theme


def test_nothing_is_fetched():
    for sheet in (style.page(), style.report()):
        assert "@import" not in sheet
        # the bold and the regular face, which begin as TrueType does
        held = re.findall(r"url\((.{25})", sheet)
        assert held == ["data:font/ttf;base64,AAEA"] * 2
        assert sheet.count("{") == sheet.count("}")


def test_dark_pages_show_dark_drawings_and_no_others():
    for sheet, where in ((style.page(), ".dark"), (style.report(), "body")):
        rules = re.findall(
            rf"{re.escape(where)} \.both-modes \.only-(\w+)\{{display:(\w+)\}}", sheet
        )
        assert dict(rules) == {"dark": "block", "light": "none"}
    assert "prefers-color-scheme:dark" in style.report()


def test_narrow_pages_show_narrow_drawings():
    drawn = theme.PIXELS_PER_INCH * theme.WIDTHS["wide"]
    (width,) = re.findall(r"@media \(max-width:([\d.]+)px\)", style.CONTENT)
    assert drawn < float(width) < 1.2 * drawn
    assert "@container" not in style.page()  # which Gradio drops


def test_moving_is_reduced_where_that_is_wanted():
    assert "prefers-reduced-motion:reduce" in style.page()
