// Sections that begin folded open when an address leads into them, and on paper.

const unfold = () => {
  const name = decodeURIComponent(location.hash.slice(1));
  const place = name && document.getElementById(name);
  if (!place) return;
  const own = place.querySelector(":scope > details.section");
  if (own) own.open = true;
  for (let each = place; each; each = each.parentElement) {
    if (each.matches("details")) each.open = true;
  }
  place.scrollIntoView();
};

addEventListener("DOMContentLoaded", unfold);
addEventListener("hashchange", unfold);
addEventListener("beforeprint", () => {
  for (const each of document.querySelectorAll("details.section")) each.open = true;
});
