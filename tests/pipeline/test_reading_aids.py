"""A small built book before and after."""

import re
from pathlib import Path

from sslmepr.pipeline.reading_aids import add_reading_aids, define_terms, keep_measures

GLOSSARY = """<article class="bd-article"><p>corpus</p><dl class="simple glossary">
<dt id="term-corpus">corpus<a class="headerlink" href="#term-corpus">#</a></dt>
<dt id="term-corpora">corpora<a class="headerlink" href="#term-corpora">#</a></dt>
<dd><p>Clips &amp; <em>labels</em>
from "one" source.</p>
</dd>
<dt id="term-held-out-corpus">held-out corpus<a href="#">#</a></dt><dd><p>A second.</p>
</dd>
<dt id="term-CCC">CCC<a href="#">#</a></dt><dd><p>A third.</p></dd></dl></article>"""


def test_the_first_mention_of_a_term_has_its_definition(tmp_path):
    (tmp_path / "chapters").mkdir()
    (tmp_path / "glossary.html").write_text(GLOSSARY)
    page = tmp_path / "chapters" / "a.html"
    page.write_text(
        "<p>corpus</p><article><h1>Corpus</h1><p>A <a>corpus</a>, <code>corpus</code> "
        "and the <em>held-out corpus</em>. Corpora; corpus, corpus, ccc, precorpus.</p>"
        "<pre>CCC</pre><p>CCCs</p></article>"
    )
    add_reading_aids(tmp_path)
    first = 'data-definition="Clips &amp; labels from &quot;one&quot; source."'
    assert page.read_text() == (
        "<p>corpus</p><article><h1>Corpus</h1><p>A <a>corpus</a>, <code>corpus</code> "
        'and the <em><a class="term" href="../glossary.html#term-held-out-corpus" '
        'data-definition="A second.">held-out corpus</a></em>. '
        f'<a class="term" href="../glossary.html#term-corpora" {first}>Corpora</a>; '
        "corpus, corpus, ccc, precorpus.</p><pre>CCC</pre><p>"
        '<a class="term" href="../glossary.html#term-CCC" data-definition="A third.">'
        "CCCs</a></p></article>"
    )
    assert (tmp_path / "glossary.html").read_text() == GLOSSARY


def test_numbers_stay_with_what_they_count():
    page = (
        "<p>5 clips</p><article><p>5 clips, <em>30 %</em> of 2 GiB in 7 seconds-long "
        "<code>5 clips</code>, 12 % of 4 pairs; figure 3 shows</p><td>5 clips</td>"
    )
    assert keep_measures(page) == (
        "<p>5 clips</p><article><p>5\u00a0clips, <em>30\u00a0%</em> of 2\u00a0GiB in 7 "
        "seconds-long <code>5 clips</code>, 12\u00a0% of 4\u00a0pairs; figure 3 shows"
        "</p><td>5 clips</td>"
    )


def test_a_book_without_a_glossary_stays_as_it_is():
    assert define_terms("<article><p>a</p></article>", {}, "") == (
        "<article><p>a</p></article>"
    )


def test_roles_and_names_are_repaired(tmp_path):
    page = tmp_path / "api.html"
    page.write_text(
        '<div role="list"><div role="doc-biblioentry">a</div></div>'
        '<summary><span class="toctree-toggle"></span></summary>'
        '<summary aria-label="Toggle hidden content"><p>Hide the code</p></summary>'
        '<dl><dt class="sig py">f(<dl>\n<dd>x</dd></dl>)</dt><dd>b</dd></dl>'
    )
    add_reading_aids(tmp_path)
    assert page.read_text() == (
        '<div role="list"><div role="listitem">a</div></div>'
        '<summary aria-label="Pages of this chapter">'
        '<span class="toctree-toggle"></span></summary>'
        "<summary><p>Hide the code</p></summary>"
        '<dl><dt class="sig py">f(<div>\n<div>x</div></div>)</dt><dd>b</dd></dl>'
    )


def test_terms_of_the_glossary_are_terms():
    """A definition that is not indented would be one."""
    text = (Path(__file__).parents[2] / "book/glossary.md").read_text("utf-8")
    parts = re.findall(r"```\{glossary\}\n(.*?)```", text, re.DOTALL)
    lines = [line for part in parts for line in part.splitlines() if line]
    terms = [line for line in lines if not line.startswith(" ")]
    assert len(terms) > 60 and [each for each in terms if len(each) > 40] == []
