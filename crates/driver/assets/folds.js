// What a link leads to opens; sections, figures, claims, statements and runs have links to themselves; print unfolds.
"use strict";

document.documentElement.classList.add("js");

// A small link to the element itself, for everything that has an id of its own.
for (const element of document.querySelectorAll("section[id] > h2, [data-anchor]")) {
  const named = element.closest("[id]");
  if (!named) continue;
  const place = element.matches("figure") ? element.querySelector("figcaption b") : element.matches("details") ? null : element;
  const link = document.createElement("a");
  link.className = "permalink";
  link.href = `#${named.id}`;
  link.textContent = "#";
  link.setAttribute("aria-label", `Link to ${named.id}`);
  const name = element.matches("td") ? element.querySelector("code") : null;
  if (name) name.after(" ", link);
  else if (place) place.append(" ", link);
  // A link within a summary would fold and unfold as well: it stands behind it, in the open part.
  else element.querySelector("summary").after(link);
}

// Opens every fold around the element and shows it.
function reveal(hash) {
  if (hash.length < 2) return;
  let name = hash.slice(1);
  try { name = decodeURIComponent(name); } catch { return; }
  const target = document.getElementById(name);
  if (!target) return;
  if (target.matches("details")) target.open = true;
  for (let fold = target.parentElement?.closest("details"); fold; fold = fold.parentElement?.closest("details")) fold.open = true;
  // A row that a filter hides would be nowhere.
  if (target.closest("tr[hidden], details[hidden]")) clearFilters();
  if (target.matches("figure")) enlarge(target, true);
  target.scrollIntoView();
}

addEventListener("hashchange", () => reveal(location.hash));
document.addEventListener("click", event => {
  const link = event.target.closest?.('a[href^="#"]');
  // The same hash once more is no change of it.
  if (link && link.getAttribute("href") === location.hash) reveal(location.hash);
});
addEventListener("load", () => reveal(location.hash));

function enlarge(figure, large) {
  const button = figure.querySelector("[data-enlarge]");
  if (!button) return;
  figure.classList.toggle("large", large);
  button.setAttribute("aria-expanded", String(large));
  button.title = large ? "Reduce" : "Enlarge";
}

for (const button of document.querySelectorAll("[data-enlarge]")) {
  button.addEventListener("click", () => {
    const figure = button.closest("figure");
    enlarge(figure, !figure.classList.contains("large"));
  });
}

let unfolded = [];
addEventListener("beforeprint", () => {
  unfolded = [...document.querySelectorAll("details[data-print]:not([open])")];
  for (const fold of unfolded) fold.open = true;
});
addEventListener("afterprint", () => {
  for (const fold of unfolded) fold.open = false;
  unfolded = [];
});
