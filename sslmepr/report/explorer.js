// Shows the pair that is chosen: verdict, picture and the sentence to report.

for (const explorer of document.querySelectorAll(".explorer:not(.alive)")) {
  const part = (name) => explorer.querySelector(`.${name}`);
  const pairs = JSON.parse(part("pairs").textContent);
  const [emotion, trait] = explorer.querySelectorAll("select");
  const reach = Number(explorer.dataset.reach);
  const place = (r) => `${50 + (50 * r) / reach}%`;

  const show = () => {
    const pair = pairs.find(
      (each) => each.emotion === emotion.value && each.trait === trait.value
    );
    for (const name of ["said", "report", "needed", "halo", "dotted"])
      part(name).innerHTML = pair[name];
    part("estimate").style.left = place(pair.r);
    part("range").style.left = place(pair.low);
    part("range").style.width = `${(50 * (pair.high - pair.low)) / reach}%`;
    part("scale").setAttribute("aria-label", pair.drawn);
    const means = part("dots");
    means.ownerSVGElement.setAttribute("aria-label", pair.dotted);
    means.replaceChildren(
      ...pair.dots.map(([x, y]) => {
        const dot = document.createElementNS(means.namespaceURI, "circle");
        for (const [name, value] of Object.entries({ cx: x, cy: y, r: 4 }))
          dot.setAttribute(name, value);
        return dot;
      })
    );
  };

  // A selection keeps the italics; the newer clipboard is refused to local files.
  const copy = (event) => {
    const selection = getSelection();
    selection.selectAllChildren(part("report"));
    const done = document.execCommand("copy");
    selection.removeAllRanges();
    const { textContent } = event.target;
    event.target.textContent = done ? "Copied" : "Not allowed by the browser";
    setTimeout(() => (event.target.textContent = textContent), 1500);
  };

  explorer.classList.add("alive");
  part("choice").hidden = part("answer").hidden = false;
  part("all").open = false;
  emotion.addEventListener("change", show);
  trait.addEventListener("change", show);
  part("copy").addEventListener("click", copy);
  show();
}
