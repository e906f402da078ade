from sslmepr.pipeline.gallery import figures_of, fill_gallery

DRAWN = (
    '<svg class="wide" aria-label="W &amp; V" viewBox="0 0 3 {}"><g/></svg>'
    '<svg class="narrow" aria-label="W &amp; V" viewBox="0 0 9 9"></svg>'
)
FIGURE = (
    '<style>x</style><figure class="both-modes">'
    f'<div class="only-light">{DRAWN.format(1)}</div>'
    f'<div class="only-dark">{DRAWN.format(2)}</div></figure>'
)
TITLE = '<h1><span class="section-number">1. </span>A &lt; B{}</h1>'.format(
    '<a class="headerlink" href="#a">#</a>'
)
PAGE = (
    f'<nav><h2>Menu</h2></nav><article><section id="a">{TITLE}<p>None here.</p>'
    f'<section id="part"><h2>The part</h2>{FIGURE}</section></section></article>'
)


def test_a_figure_knows_where_it_stands_and_what_it_shows():
    (found,) = figures_of(PAGE)
    assert (found.section, found.heading, found.alt) == ("part", "The part", "W & V")
    assert found.drawing.startswith('<svg class="wide"')
    assert found.drawing.endswith('viewBox="0 0 3 1"><g/></svg>')


def test_figures_under_one_heading_are_told_apart():
    first, second = figures_of(PAGE.replace(FIGURE, 2 * FIGURE))
    assert (first.heading, second.heading) == ("The part", "W & V")


def test_figures_without_a_place_or_a_drawing_are_left_out():
    assert list(figures_of(FIGURE)) == []
    assert list(figures_of(PAGE.replace("wide", "other"))) == []


def test_strips_and_pictures_stand_beside_the_drawings():
    images = "".join(f'<img src="data:{n}" alt="joy, {n}">' for n in ("low", "high"))
    strip = f'<figure class="strip" style="--n:2"><figcaption>Joy{images}</figure>'
    strip = strip.replace("Joy", "Joy</figcaption>")
    modes = "".join(
        f'<img alt="The &quot;top&quot;" class="only-{mode}" src="../{mode}.png">'
        for mode in ("light", "dark")
    )
    first, second = figures_of(PAGE.replace(FIGURE, strip + modes))
    assert first == ("part", "Joy", "joy, high", "data:high")
    assert second == ("part", "The part", 'The "top"', "../light.png")
    tab = '<label for="a-1">Face</label>'
    (first,) = figures_of(PAGE.replace(FIGURE, tab + strip))
    assert first.heading == "Face: Joy"
    heard = '<figure class="strip"><figcaption>Words</figcaption></figure>'
    assert list(figures_of(PAGE.replace(FIGURE, heard))) == []


def test_pictures_are_found_from_the_page_of_the_gallery(tmp_path):
    links = ""
    for name in ("chapters/one.html", "app.html"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        up = "../" * name.count("/")
        image = f'<img alt="x" class="only-light" src="{up}_images/a.png">'
        path.write_text(PAGE.replace(FIGURE, image))
        links += f'<a class="reference internal" href="{name}">x</a>'
    page = tmp_path / "gallery.html"
    page.write_text(f'{links}<article><div class="gallery"></div></article>')
    fill_gallery(tmp_path)
    assert page.read_text().count('src="_images/a.png" alt="x"') == 2


def test_the_page_has_all_figures_in_the_order_of_its_links(tmp_path):
    for name in ("chapters/one.html", "chapters/two.html", "bare.html"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        text = PAGE if name.startswith("chapters") else "<article><h1>Bare</h1>"
        path.write_text(text.replace("The part", name))
    links = "".join(
        f'<a class="reference internal" href="{name}">x</a>'
        for name in ("bare.html", "chapters/two.html", "chapters/one.html")
    )
    page = tmp_path / "gallery.html"
    page.write_text(f'{links}<article><div class="gallery"></div></article>')
    fill_gallery(tmp_path)
    text = page.read_text()
    assert text.count("<h2>A &lt; B</h2>") == 2
    assert "Bare" not in text
    places = [
        text.index(f'href="chapters/{name}.html#part"') for name in ("two", "one")
    ]
    assert places == sorted(places)
    assert text.count('alt="W &amp; V"') == 2
    # Equal drawings are one file.
    assert len(list((tmp_path / "_media").iterdir())) == 1


def test_a_book_without_the_page_stays_as_it_is(tmp_path):
    fill_gallery(tmp_path)
    assert list(tmp_path.iterdir()) == []
