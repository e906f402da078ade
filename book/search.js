// Loaded by the search page alone, before Sphinx's own script and after SEARCH_TEXTS:
// page to its title, its headings and its text.

// Words of a question that say nothing about what is asked.
const ASKING = new Set(
  ("a about and any are as at be by can could did do does for from go have how i if in " +
   "into is it its many may me much must my no not of on one or our over should so than that " +
   "the their them then there they this to use was we what when where which who why will " +
   "with would you your").split(" ")
);
// What readers call what a page is about, as good as words of its title.
const ABOUT = {
  "how-to-run.html":
    "install installation set up start long take takes time minutes hours duration cost " +
    "memory ram disk space gpu cuda cpu requirements windows wsl mac macos linux conda pip",
  "chapters/evaluate.html": "accurate accuracy precise precision good better worse correct right wrong",
  "chapters/association.html":
    "related relation relationship correlate correlated correlation linked pairs happiness " +
    "sadness anger disgust fear surprise openness conscientiousness extraversion " +
    "agreeableness stability neuroticism",
  "chapters/validity.html": "true truth trust believe",
  "ethics.html": "bias biased fair fairness skin gender race privacy consent hiring",
  "glossary.html": "glossary mean means meaning definition define abbreviation",
};
const DEFINED = /^\s*(what (is|are|does)|define|meaning of)\b/i; // then a word is looked up
const TITLE = 12, HEADING = 4; // how many times a word counts there
const SATURATION = 1.5, LENGTH = 0.6; // of Okapi BM25, by convention

// Sphinx wants every word of a question in a page, and takes one mention for as good as
// many; chapters and prose are ranked by BM25 instead, and the library comes after them.
document.addEventListener("DOMContentLoaded", () => {
  const sphinx = Search._performSearch;
  Search._performSearch = (query, ...rest) => {
    const { docnames, filenames, titles } = Search._index;
    const mine = ranked(query).flatMap(([page, score]) => {
      const file = docnames.indexOf(page.replace(/\.html$/, ""));
      const found = [docnames[file], titles[file], "", null, score, filenames[file]];
      return file < 0 ? [] : [found];
    });
    const library = sphinx(query, ...rest).filter(
      ([name]) => !(`${name}.html` in SEARCH_TEXTS)
    );
    return [...library, ...mine]; // the best last
  };
});

function ranked(query) {
  const stemmer = new Stemmer();
  const stem = (text) =>
    (text.toLowerCase().match(/[\p{L}\d]+/gu) ?? []).map((word) => stemmer.stemWord(word));
  const asked = stem(
    query.toLowerCase().split(/\s+/).filter((word) => !ASKING.has(word)).join(" ")
  );
  const pages = Object.entries(SEARCH_TEXTS).map(([page, [title, headings, text]]) => {
    const counts = new Map(asked.map((word) => [word, 0]));
    const count = (words, times) => {
      for (const word of words)
        if (counts.has(word)) counts.set(word, counts.get(word) + times);
    };
    const words = stem(text);
    count(words, 1);
    count(stem(headings), HEADING);
    count(stem(title), TITLE);
    count(stem(ABOUT[page] ?? ""), TITLE);
    if (page === "glossary.html" && DEFINED.test(query)) count(new Set(words), 50 * TITLE);
    return { page, counts, length: words.length };
  });
  const mean = pages.reduce((sum, each) => sum + each.length, 0) / pages.length;
  const rarity = (word) => {
    const having = pages.filter(({ counts }) => counts.get(word)).length;
    return Math.log(1 + (pages.length - having + 0.5) / (having + 0.5));
  };
  const scored = pages.map(({ page, counts, length }) => {
    const damping = SATURATION * (1 - LENGTH + (LENGTH * length) / mean);
    const score = [...counts].reduce(
      (sum, [word, times]) => sum + (rarity(word) * times) / (times + damping), 0
    );
    return [page, score];
  });
  return scored.filter(([, score]) => score).sort(([, one], [, other]) => one - other);
}

// Excerpts are cut from pages that the browser may not fetch from a local disk.
if (location.protocol === "file:") {
  window.fetch = (address) => {
    const place = document.createElement("div");
    const page = new URL(address, location).href.split("#")[0];
    const found = SEARCH_TEXTS[page.slice(new URL(".", location).href.length)];
    place.textContent = found?.at(-1) ?? "";
    const text = found ? `<div role="main">${place.innerHTML}</div>` : "";
    return Promise.resolve(new Response(text));
  };
}
