// The controls of the charts: the legend, the tools above the charts, and a small menu on each chart.
"use strict";

function chartControls({ data, all, state, fresh, theme, actions }) {
  const { groups, seeds } = data;
  const holder = document.getElementById("chart-controls");
  const updates = [];
  let fields = 0;

  function make(name, properties, ...children) {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  }

  const button = (text, action, title = "") => {
    const made = make("button", { type: "button", textContent: text, title });
    made.addEventListener("click", () => action(made));
    return made;
  };

  // A button that is pressed while `read` is true.
  function toggle(text, read, write) {
    const made = button(text, () => write(!read()));
    updates.push(() => made.setAttribute("aria-pressed", String(read())));
    return made;
  }

  // A list of choices: `list` gives pairs of value and text, `read` the value chosen.
  function select(text, list, read, write) {
    const field = make("select", { id: `chart-choice-${++fields}` });
    field.addEventListener("change", () => write(field.value));
    updates.push(() => {
      field.replaceChildren(...list().map(([value, name]) => make("option", { value, textContent: name })));
      field.value = read();
    });
    return make("span", { className: "choice" }, make("label", { htmlFor: field.id, textContent: text }), field);
  }

  // The legend is one stop of the tab key; the arrow keys move within.
  function legend() {
    const boxes = groups.map((group, index) => {
      const box = make("input", { type: "checkbox", tabIndex: index ? -1 : 0 });
      box.dataset.group = index;
      box.addEventListener("change", () => actions.change({ shown: boxes.map(({ checked }) => checked) }));
      box.addEventListener("focus", () => boxes.forEach(other => { other.tabIndex = other === box ? 0 : -1; }));
      return box;
    });
    const sets = new Map();
    groups.forEach((group, index) => {
      if (!sets.has(group.method)) {
        // The number of seeds stands with the method where all of its configurations have as many.
        const counts = groups.filter(({ method }) => method === group.method).map(({ runs }) => runs);
        const common = counts.every(count => count === counts[0] && count > 1) ? ` (${counts[0]} seeds)` : "";
        const name = make("legend", { textContent: (group.method || "Runs") + common });
        sets.set(group.method, make("fieldset", { className: "legend" }, name));
        sets.get(group.method).common = common;
      }
      const runs = group.runs > 1 && !sets.get(group.method).common ? ` (${group.runs} seeds)` : "";
      const look = lookOf(group, theme());
      sets.get(group.method).append(make("label", {}, boxes[index], chartReadout.swatch(look), `${group.label}${runs}${group.off ? ", diverges" : ""}`));
    });
    const keys = event => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      const place = boxes.indexOf(event.target);
      if (!step || place < 0) return;
      boxes[(place + step + boxes.length) % boxes.length].focus();
      event.preventDefault();
    };
    const list = make("div", {}, ...sets.values());
    list.addEventListener("keydown", keys);
    updates.push(() => boxes.forEach((box, index) => { box.checked = state.shown[index]; }));
    return list;
  }

  function baselines() {
    const shown = groups.flatMap((group, index) => (state.shown[index] || state.baseline === index ? [[String(index), chartValues.nameOf(group)]] : []));
    return [["", "nothing"], ["start", "its own value at the start"], ...shown];
  }

  async function copyLink(made) {
    const copied = await chartLink.copy(state, fresh, all);
    made.textContent = copied ? "Link copied" : "Copy the address instead";
    setTimeout(() => { made.textContent = "Copy link"; }, 2000);
  }

  function tools() {
    const every = shown => () => actions.change({ shown: groups.map(() => shown) });
    const row = make("div", { className: "view" },
      button("Show all", every(true)), button("Hide all", every(false)),
      toggle("Logarithmic time", () => state.logTime, logTime => actions.change({ logTime, range: null })),
      toggle("Bands", () => state.ranges, ranges => actions.change({ ranges })),
      button("Zoom in", () => actions.scaleBy(0.5)), button("Zoom out", () => actions.scaleBy(2)), button("Reset zoom", () => actions.zoom(null)),
      button("Copy link", copyLink, "A link to this page that shows the charts as they are now"),
      button("Save values", () => chartExport.csv(all, groups, state), "All values that the charts show, as CSV"));
    const choices = make("div", { className: "view" });
    if (seeds.length) {
      const list = () => [["", "median of all"], ...seeds.map(seed => [String(seed), `seed ${seed}`])];
      choices.append(select("Seeds", list, () => String(state.seed ?? ""), value => actions.change({ seed: value === "" ? null : Number(value) })));
    }
    const baseline = value => (value === "" ? null : value === "start" ? value : Number(value));
    choices.append(select("Divide by", baselines, () => String(state.baseline ?? ""), value => actions.change({ baseline: baseline(value) })));
    const hint = make("p", { className: "hint" }, "Drag across a chart to zoom, double-click to reset. With a finger: tap or move for values. With the keyboard: arrow keys, Home, End and Escape for values; +, − and 0 to zoom.");
    const without = make("p", { className: "hint" });
    without.setAttribute("role", "status");
    updates.push(() => {
      const missing = groups.filter((group, index) => state.shown[index] && state.seed !== null && !group.seeds.includes(state.seed));
      without.textContent = missing.length ? `Seed ${state.seed} was not run for: ${missing.map(chartValues.nameOf).join("; ")}.` : "";
    });
    return [row, choices, without, hint];
  }

  // The menu of one chart, closed but for its button.
  function menu(chart) {
    const save = (text, action) => button(text, () => { action(chart, groups, state); details.open = false; });
    const modes = () => [["auto", "automatic"], ["linear", "linear"], ["log", "logarithmic"]];
    const details = make("details", { className: "menu" },
      make("summary", { textContent: "⋯", title: "Axis and files" }),
      make("div", {},
        select("Values", modes, () => chart.mode, mode => actions.setMode(chart, mode)),
        save("Save as CSV", one => chartExport.csv([one], groups, state)), save("Save as SVG", chartExport.svg), save("Save as PNG", chartExport.png)));
    details.firstElementChild.setAttribute("aria-label", `${chart.title}: axis and files`);
    details.addEventListener("keydown", event => {
      if (event.key !== "Escape" || !details.open) return;
      details.open = false;
      details.firstElementChild.focus();
    });
    document.addEventListener("pointerdown", event => { if (!details.contains(event.target)) details.open = false; });
    return details;
  }

  holder.append(legend(), ...tools());
  for (const chart of all) chart.figure.querySelector("figcaption").append(menu(chart));
  const sync = () => updates.forEach(update => update());
  sync();
  return {
    sync,
    repaint() {
      for (const picture of holder.querySelectorAll("label svg")) {
        const group = picture.parentElement.querySelector("input").dataset.group;
        picture.replaceWith(chartReadout.swatch(lookOf(groups[group], theme())));
      }
    },
  };
}
