// Tables that sort by a click on a column's name and filter by text, verdict or mark; figures that enlarge.
"use strict";

// The value that a cell sorts by: what it names, its number, or its text.
function sortKey(cell, numeric) {
  const text = cell.dataset.value ?? cell.textContent.trim();
  if (!numeric) return text;
  return text === "" ? NaN : Number(text);
}

function sortTable(table, column, direction) {
  const headers = [...table.tHead.rows[0].cells];
  const numeric = headers[column].dataset.kind === "number";
  const rows = [...table.tBodies[0].rows].map(row => [sortKey(row.cells[column], numeric), row]);
  rows.sort(([a], [b]) => {
    if (!numeric) return direction * a.localeCompare(b, "en", { numeric: true });
    // What is no number stays at the end in both directions.
    if (isNaN(a) || isNaN(b)) return isNaN(a) - isNaN(b);
    return direction * (a - b);
  });
  table.tBodies[0].append(...rows.map(([, row]) => row));
  headers.forEach((header, index) => {
    if (index === column) header.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
    else header.removeAttribute("aria-sort");
  });
}

const texts = new WeakMap();

// A row's text, its formulas as they are shown and as they are typed: lambda0 finds what is set in Greek.
function searched(row) {
  if (!texts.has(row)) {
    const typed = [...row.querySelectorAll("math")].map(formula => formula.getAttribute("aria-label"));
    texts.set(row, [row.textContent, ...typed].join(" ").toLowerCase());
  }
  return texts.get(row);
}

function filterTable(table) {
  const input = document.querySelector(`[data-filter="${table.id}"]`);
  const verdict = document.querySelector(`[data-filter-verdict="${table.id}"]`);
  const marked = document.querySelector(`[data-filter-marked="${table.id}"]`);
  const words = (input?.value ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  const rows = [...table.tBodies[0].rows];
  let shown = 0;
  for (const row of rows) {
    const text = words.length ? searched(row) : "";
    const fits = words.every(word => text.includes(word))
      && (!verdict?.value || row.dataset.verdicts.split(" ").includes(verdict.value))
      && (!marked?.checked || "marked" in row.dataset);
    row.hidden = !fits;
    shown += fits;
  }
  const count = document.querySelector(`[data-count="${table.id}"]`);
  if (count) count.textContent = `${shown} of ${rows.length} rows`;
}

for (const table of document.querySelectorAll("table[data-sortable]")) {
  // The phone's layout turns cells into blocks, which would hide from a screen reader that this is a table.
  table.setAttribute("role", "table");
  for (const row of table.rows) {
    row.setAttribute("role", "row");
    for (const cell of row.cells) cell.setAttribute("role", cell.tagName === "TH" ? "columnheader" : "cell");
  }
  [...table.tHead.rows[0].cells].forEach((header, column) => {
    if (header.dataset.kind === "none") return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = header.textContent;
    header.dataset.name = header.textContent;
    header.replaceChildren(button);
    button.addEventListener("click", () =>
      sortTable(table, column, header.getAttribute("aria-sort") === "ascending" ? -1 : 1));
  });
  const controls = `[data-filter="${table.id}"],[data-filter-verdict="${table.id}"],[data-filter-marked="${table.id}"]`;
  if (table.id) {
    for (const control of document.querySelectorAll(controls)) {
      control.addEventListener("input", () => filterTable(table));
    }
    filterTable(table);
  }
}

for (const button of document.querySelectorAll("[data-enlarge]")) {
  button.addEventListener("click", () => {
    const large = button.closest("figure").classList.toggle("large");
    button.setAttribute("aria-expanded", String(large));
    button.textContent = large ? "Reduce" : "Enlarge";
  });
}

// A tile of the audit shows the statements of its verdict.
for (const tile of document.querySelectorAll('[href="#audit"][data-show]')) {
  tile.addEventListener("click", () => {
    const select = document.querySelector("[data-filter-verdict]");
    select.value = tile.dataset.show;
    select.dispatchEvent(new Event("input"));
  });
}
