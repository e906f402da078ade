"""What must hold of a built book, for the tests that have one."""

import html
import json
import re
import shutil
import subprocess

from sslmepr.pipeline.book import external_resources
from sslmepr.pipeline.site_links import broken_links

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
SITE_MEGABYTES, PAGE_MEGABYTES = 40, 3

QUESTIONS = {
    "how to cite": "how-to-cite",
    "one clip through the pipeline": "chapters/tour",
    "how to run": "how-to-run",
    "corpora": "chapters/corpora",
    "features": "chapters/features",
    "how well are emotions recognised": "chapters/evaluate",
    "who is read worse": "chapters/evaluate",
    "calibration predicted against true": "chapters/evaluate",
    "what each part of the model is worth": "chapters/ablation",
    "what the model looks at": "chapters/attention",
    "attention weights": "chapters/attention",
    "which emotions go with which traits": "chapters/association",
    "primary endpoints": "chapters/association",
    "plan a study": "chapters/explorer",
    "can the associations be trusted": "chapters/validity",
    "is it well measured": "chapters/measurement",
    "published corpora": "chapters/real",
    "your own data": "your-own-data",
    "limits and ethics": "ethics",
    "what is promised": "chapters/promises",
    "time and memory": "chapters/reproducibility",
    "glossary": "glossary",
}
"""What a reader types, and the page that should come first."""

ASK = """
<script>
const questions = %s;
const wait = setInterval(() => {
  if (!Search.hasIndex()) return;
  clearInterval(wait);
  const first = (question) => {
    const found = Search._performSearch(...Search._parseQuery(question));
    return found.length ? found[found.length - 1][0] : null;
  };
  const place = document.createElement("pre");
  place.id = "answers";
  place.textContent = JSON.stringify(questions.map(first));
  document.body.append(place);
}, 20);
</script>
"""


def complaints(site):
    """What is too heavy, leads nowhere or would be fetched from elsewhere."""
    sizes = {path: path.stat().st_size for path in site.rglob("*") if path.is_file()}
    found = [
        f"{path.name}: {size / 1e6:.1f} MB"
        for path, size in sizes.items()
        if path.suffix == ".html" and size > PAGE_MEGABYTES * 1e6
    ]
    total = sum(sizes.values()) / 1e6
    if total > SITE_MEGABYTES:
        found.append(f"the site: {total:.1f} MB")
    return [*found, *broken_links(site), *external_resources(site)]


def first_results(site, folder):
    """Question to the page that the search of a book on a disk puts first."""
    copy = folder / "site"
    shutil.copytree(site, copy, ignore=shutil.ignore_patterns("*.mp4", "*.png"))
    page = copy / "search.html"
    questions = json.dumps(list(QUESTIONS))
    text = page.read_text("utf-8").replace("</body>", ASK % questions + "</body>")
    page.write_text(text, "utf-8")
    words = ["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    words += [f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=20000"]
    done = subprocess.run(
        [BROWSER, *words, page.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    )
    answers = re.search(r'<pre id="answers">(.*?)</pre>', done.stdout)[1]
    return dict(zip(QUESTIONS, json.loads(html.unescape(answers)), strict=True))
