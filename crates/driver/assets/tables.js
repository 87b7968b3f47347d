// Tables that sort by a click on a column's name; filters by text, paper, verdict or mark over all tables of a kind.
"use strict";

// The value that a cell sorts by: what it names, its number, or its text.
function sortKey(cell, numeric) {
  const text = cell.dataset.value ?? cell.textContent.trim();
  if (!numeric) return text;
  return text === "" ? NaN : Number(text.replace(/ ?#$/, ""));
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

const control = (name, kind) => document.querySelector(`[data-filter${name}="${kind}"]`);

// Shows the rows that fit; while anything is filtered, the folds that hold such rows are open and the others gone.
function filterTables(kind) {
  const text = control("", kind)?.value ?? "";
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const paper = control("-paper", kind)?.value;
  const verdict = control("-verdict", kind)?.value;
  const marked = control("-marked", kind)?.checked;
  const filtered = Boolean(words.length || paper || verdict || marked);
  let shown = 0, all = 0;
  for (const table of document.querySelectorAll(`table[data-table="${kind}"]`)) {
    const fold = table.closest("details");
    const name = fold ? fold.querySelector("summary").textContent : "";
    let here = 0;
    for (const row of table.tBodies[0].rows) {
      const content = words.length ? `${name.toLowerCase()} ${searched(row)}` : "";
      const fits = words.every(word => content.includes(word))
        && (!paper || fold?.dataset.paper === paper)
        && (!verdict || row.dataset.verdict === verdict)
        && (!marked || "marked" in row.dataset);
      row.hidden = !fits;
      here += fits;
      all += 1;
    }
    if (fold) {
      fold.hidden = here === 0;
      if (filtered && here > 0 && !fold.open) { fold.open = true; fold.dataset.byFilter = ""; }
      if (!filtered && "byFilter" in fold.dataset) { fold.open = false; delete fold.dataset.byFilter; }
    }
    shown += here;
  }
  const count = document.querySelector(`[data-count="${kind}"]`);
  if (count) count.textContent = `${shown} of ${all} ${kind === "audit" ? "statements" : "runs"}`;
}

const kinds = new Set([...document.querySelectorAll("table[data-table]")].map(table => table.dataset.table));

function clearFilters() {
  for (const kind of kinds) {
    for (const name of ["", "-paper", "-verdict", "-marked"]) {
      const found = control(name, kind);
      if (found) { found.value = found.type === "checkbox" ? found.value : ""; found.checked = false; }
    }
    filterTables(kind);
  }
}

for (const table of document.querySelectorAll("table[data-sortable]")) {
  // The phone's layout turns cells into blocks, which would hide from a screen reader that this is a table.
  table.setAttribute("role", "table");
  for (const part of [table.tHead, ...table.tBodies]) part.setAttribute("role", "rowgroup");
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
}

for (const kind of kinds) {
  for (const name of ["", "-paper", "-verdict", "-marked"]) {
    control(name, kind)?.addEventListener("input", () => filterTables(kind));
  }
  filterTables(kind);
}

// A tile of the audit shows the statements that it counts: those of its paper and verdict.
for (const tile of document.querySelectorAll("[data-show]")) {
  tile.addEventListener("click", () => {
    control("", "audit").value = "";
    control("-verdict", "audit").value = tile.dataset.show;
    control("-paper", "audit").value = tile.dataset.showPaper;
    filterTables("audit");
  });
}
