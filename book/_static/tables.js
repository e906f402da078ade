// Tables that sort, filter, download and copy. Without this script they are plain.

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll(".bd-article table.dataframe").forEach(equip);
});

const MANY_ROWS = 9; // from here on a filter is worth its place
const LONG = 15; // with more rows, only the first are shown at the beginning

function equip(table, place) {
  const rows = [...table.tBodies[0].rows];
  if (rows.length < 2) return;
  const bar = document.createElement("div");
  bar.className = "table-tools";
  if (rows.length >= MANY_ROWS) bar.append(filterOf(table, rows));
  if (rows.length > LONG) bar.append(fold(table, rows.length));
  bar.append(
    button("Download CSV", () => download(table, `${nameOf(place)}.csv`)),
    button("Copy as APA table", (event) => copy(table, event.target))
  );
  table.after(bar);
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const sort = button(head.textContent, () => sortBy(table, rows, column));
    head.replaceChildren(sort);
  });
}

function nameOf(place) {
  const page = location.pathname.split("/").pop().replace(/\.html$/, "") || "table";
  return `${page}-${place + 1}`;
}

function button(words, action) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = words;
  made.addEventListener("click", action);
  return made;
}

// The style sheet hides the later rows of a folded table, but not on paper.
function fold(table, count) {
  table.classList.add("folded");
  const opened = button(`Show all ${count} rows`, () => {
    const folded = table.classList.toggle("folded");
    opened.textContent = folded ? `Show all ${count} rows` : "Show the first rows";
    opened.setAttribute("aria-expanded", String(!folded));
  });
  opened.setAttribute("aria-expanded", "false");
  return opened;
}

function filterOf(table, rows) {
  const field = document.createElement("input");
  field.type = "search";
  field.placeholder = "Filter rows";
  field.setAttribute("aria-label", "Filter rows of the table above");
  field.addEventListener("input", () => {
    if (table.classList.contains("folded")) {
      table.nextElementSibling.querySelector("[aria-expanded]").click();
    }
    const words = field.value.toLowerCase().split(/\s+/);
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
  });
  return field;
}

// "−0.41 [−0.5, −0.3]" and "< .001" by their first number, other text as it is.
function valueOf(row, column) {
  const text = row.cells[column].textContent.trim();
  const number = text.replace("\u2212", "-").match(/^[<>]?\s*-?\d*\.?\d+/);
  return number ? parseFloat(number[0].replace(/[<>\s]/g, "")) : text;
}

function compare(one, other) {
  if (typeof one === typeof other) {
    return typeof one === "number" ? one - other : one.localeCompare(other);
  }
  return typeof one === "number" ? -1 : 1; // what is missing comes last
}

function sortBy(table, rows, column) {
  const heads = [...table.tHead.rows[0].cells];
  const down = heads[column].getAttribute("aria-sort") === "ascending";
  heads.forEach((head) => head.removeAttribute("aria-sort"));
  heads[column].setAttribute("aria-sort", down ? "descending" : "ascending");
  const order = rows.map((row) => [valueOf(row, column), row]);
  order.sort(([one], [other]) => (down ? compare(other, one) : compare(one, other)));
  table.tBodies[0].append(...order.map(([, row]) => row));
}

function shown(table) {
  const rows = [table.tHead.rows[0], ...table.tBodies[0].rows];
  return rows
    .filter((row) => !row.hidden)
    .map((row) => [...row.cells].map((cell) => cell.textContent.trim()));
}

function download(table, name) {
  const quoted = (text) => `"${text.replaceAll('"', '""')}"`;
  const lines = shown(table).map((row) => row.map(quoted).join(","));
  const link = document.createElement("a");
  // The mark tells spreadsheets that the text is UTF-8.
  const file = new Blob(["\ufeff", lines.join("\r\n"), "\r\n"], { type: "text/csv" });
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

// Rules above, below and under the heads alone, as the APA manual (7th ed.) has them.
function apaTable(table) {
  const [heads, ...rows] = shown(table);
  const made = document.createElement("table");
  made.style.cssText = "border-collapse:collapse;font:12pt 'Times New Roman',serif";
  const line = (cells, rules) => {
    const row = made.insertRow();
    cells.forEach((text, column) => {
      const cell = row.insertCell();
      cell.textContent = text;
      const side = column ? "center" : "left";
      cell.style.cssText = `padding:2pt 8pt;text-align:${side};${rules}`;
    });
  };
  line(heads, "border-top:1px solid black;border-bottom:1px solid black");
  rows.forEach((cells, place) =>
    line(cells, place === rows.length - 1 ? "border-bottom:1px solid black" : "")
  );
  return made;
}

// A selection is copied with its form; the newer clipboard is refused to local files.
function copy(table, pressed) {
  const made = apaTable(table);
  document.body.append(made);
  const selection = getSelection();
  selection.selectAllChildren(made);
  const done = document.execCommand("copy");
  selection.removeAllRanges();
  made.remove();
  const words = pressed.textContent;
  pressed.textContent = done ? "Copied" : "Not allowed by the browser";
  setTimeout(() => (pressed.textContent = words), 1500);
}
