// Loaded by the search page alone, before Sphinx's own script and after SEARCH_TEXTS.

// Whoever searches asks the chapters first, then the prose, then the library.
var Scorer = {
  score: ([page, , , , score]) => {
    if (page.startsWith("chapters/")) return score + 20;
    return /^(api|data|training)\//.test(page) ? score - 100 : score;
  },
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};

// Excerpts are cut from pages that the browser may not fetch from a local disk.
if (location.protocol === "file:") {
  window.fetch = (address) => {
    const place = document.createElement("div");
    const page = new URL(address, location).href.split("#")[0];
    place.textContent = SEARCH_TEXTS[page.slice(new URL(".", location).href.length)] ?? "";
    return Promise.resolve(new Response(`<div role="main">${place.innerHTML}</div>`));
  };
}
