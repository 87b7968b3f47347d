// The interactive charts: values under the pointer, series to switch, logarithmic axes, zoom shared by all.
"use strict";

// Okabe and Ito's colours without the yellow, and lighter ones for dark paper.
const COLOURS = {
  light: ["#0072b2", "#d55e00", "#008060", "#1a1a1a", "#b0528f", "#b87800", "#3a94c9"],
  dark: ["#5fb4ee", "#ff9552", "#3fd0a4", "#eceff2", "#eba3cd", "#f3ba45", "#a5dcfb"],
};
const DASHES = [[], [9, 4], [2, 3], [10, 3, 2, 3], [16, 4]];
// The part of the largest value below which a logarithmic axis shows nothing: it is rounding.
const ROUNDING = 1e-32;
// Width and height on paper: two columns of an A4 sheet.
const PRINTED = { width: 336, height: 210 };

const charts = (() => {
  const source = document.getElementById("chart-data");
  if (!source) return null;
  const data = JSON.parse(source.textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const state = { shown: data.groups.map(group => !group.off), logTime: false, ranges: true, range: null, printing: false };
  const theme = () => (dark.matches && !state.printing ? "dark" : "light");
  const colour = group => COLOURS[theme()][group.colour % 7];
  const paint = () => theme() === "dark"
    ? { ink: "#a4adb8", grid: "#2a3038" } : { ink: "#4c545d", grid: "#e6e9ed" };

  function format(value) {
    if (value === 0) return "0";
    const size = Math.abs(value);
    if (size >= 1e5 || size < 1e-3) return value.toExponential(3).replace(/\.?0+e/, "e").replace("e+", "e");
    return String(Number(value.toPrecision(5)));
  }

  const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  // A power of ten as a power, on logarithmic axes.
  function tick(value) {
    const power = Math.log10(Math.abs(value));
    if (value !== 0 && Math.abs(power) > 3.5 && Math.abs(power - Math.round(power)) < 1e-9) {
      const digits = String(Math.abs(Math.round(power))).replace(/\d/g, digit => SUPERSCRIPTS[digit]);
      return `${value < 0 ? "−" : ""}10${power < 0 ? "⁻" : ""}${digits}`;
    }
    return format(value);
  }

  // Columns on one common time: per series the line, then least and greatest where there is a range.
  function columns(chart) {
    const drawable = value => (value === null || (chart.log && !chart.signed && value <= 0) ? null : value);
    const tables = [], layout = [];
    let next = 1;
    for (const series of chart.series) {
      const kept = series.t.map((_, index) => index).filter(index => !state.logTime || series.t[index] > 0);
      const column = values => kept.map(index => drawable(values[index]));
      const table = [kept.map(index => series.t[index]), column(series.y)];
      if (series.lo) table.push(column(series.lo), column(series.hi));
      layout.push({ group: series.group, line: next, range: series.lo ? [next + 1, next + 2] : [] });
      next += table.length - 1;
      tables.push(table);
    }
    return { values: uPlot.join(tables), layout };
  }

  // The nearest time at which this series has a value: series have times of their own.
  function nearest(plot, series, index) {
    const values = plot.data[series], times = plot.data[0];
    let before = index, after = index;
    while (before >= 0 && values[before] == null) before--;
    while (after < values.length && values[after] == null) after++;
    if (before < 0) return after < values.length ? after : null;
    if (after >= values.length) return before;
    return times[index] - times[before] <= times[after] - times[index] ? before : after;
  }

  function options(chart, layout) {
    const { ink, grid } = paint();
    const series = [{}], bands = [];
    // The more bands, the fainter each: opacities of 15 to 6 per cent.
    const tint = layout.filter(({ group, range }) => range.length && state.shown[group]).length > 6 ? "10" : "26";
    for (const { group, range } of layout) {
      const look = data.groups[group], show = state.shown[group], stroke = colour(look);
      series.push({ show, stroke, width: 1.8, dash: DASHES[look.dash % 5], points: { show: false } });
      for (const _ of range) series.push({ show, stroke: "transparent", width: 0, points: { show: false } });
      if (range.length && state.ranges) bands.push({ series: [range[1], range[0]], fill: `${stroke}${tint}` });
    }
    const axis = {
      values: (_, splits) => splits.map(value => format(value)), filter: (_, splits) => splits, stroke: ink, font: "12px system-ui, sans-serif", grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 },
    };
    const logarithmic = splits => ({ splits, values: (_, places) => places.map(tick) });
    const width = state.printing ? PRINTED.width : chart.plot.clientWidth;
    const height = state.printing ? PRINTED.height : chart.plot.clientHeight;
    return {
      width, height, series, bands,
      legend: { show: false },
      scales: {
        x: { time: false, distr: state.logTime ? 3 : 1 },
        y: !chart.log ? { range: (plot, low, high) => linearRange(chart, plot, low, high) }
          : chart.signed ? { distr: 4, asinh: 1, range: symmetricRange } : { distr: 3, range: logRange },
      },
      axes: [
        { ...axis, ...(state.logTime && logarithmic(logSplits)), label: "time t", labelFont: axis.font, labelSize: 18, size: 34 },
        { ...axis, ...(chart.log && logarithmic(chart.signed ? symmetricSplits : logSplits)), size: 64 },
      ],
      cursor: {
        sync: { key: "time", setSeries: false },
        drag: { x: true, y: false, setScale: false },
        bind: { dblclick: () => () => { zoom(null); return null; } },
        dataIdx: (plot, index, closest) => (index === 0 || closest === null ? closest : nearest(plot, index, closest)),
        points: { size: 7 },
      },
      hooks: {
        setSelect: [plot => {
          if (plot.select.width < 4) return;
          const [from, to] = [plot.select.left, plot.select.left + plot.select.width];
          zoom([plot.posToVal(from, "x"), plot.posToVal(to, "x")]);
          plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
        }],
        setCursor: [plot => read(chart, plot)],
      },
    };
  }

  function logRange(_, low, high) {
    if (low === null || !(high > 0)) return [0.1, 1];
    const [from, to] = [Math.log10(Math.max(low, high * ROUNDING)), Math.log10(high)];
    const room = Math.max((to - from) * 0.04, 0.02);
    return [10 ** (from - room), 10 ** (to + room)];
  }

  // The range of a linear axis leaves out what lies far beyond the bulk of the shown values, and says so.
  function linearRange(chart, plot, low, high) {
    chart.figure.querySelector(".beyond")?.remove();
    if (low === null) return [0, 1];
    if (chart.fenced) {
      const values = [];
      for (const { group, line } of chart.layout) {
        if (state.shown[group]) values.push(...plot.data[line].filter(value => value != null));
      }
      values.sort((a, b) => a - b);
      // Median and median deviation: up to half of the values may be wild.
      const middle = list => list[Math.floor((list.length - 1) / 2)];
      const center = middle(values);
      const deviation = middle(values.map(value => Math.abs(value - center)).sort((a, b) => a - b));
      const reach = 6 * (deviation || Math.abs(center) || 1);
      const [below, above] = [center - reach, center + reach];
      if (values[0] < below || values.at(-1) > above) {
        const note = document.createElement("p");
        note.className = "note beyond";
        note.textContent = "Some values lie far beyond this range; Log shows all.";
        chart.figure.append(note);
      }
      const bulk = values.filter(value => value >= below && value <= above);
      [low, high] = [bulk[0], bulk.at(-1)];
    }
    const room = (high - low || Math.abs(high) || 1) * 0.06;
    return [low - room, high + room];
  }

  // A symmetric logarithmic axis: linear within 1 of zero.
  const symmetricRange = (_, low, high) => (low === null ? [0, 1] : [low - 0.1 * Math.abs(low), high + 0.1 * Math.abs(high)]);

  // Powers of ten, at most about seven; within two decades 1, 2 and 5 of each.
  function logSplits(_, axis, min, max) {
    const [from, to] = [Math.log10(min), Math.log10(max)];
    const stride = Math.max(1, Math.ceil((to - from) / 7)), splits = [];
    for (let power = Math.floor(from); power <= to; power++) {
      const factors = to - from < 0.7 ? [1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9] : to - from < 2 ? [1, 2, 5] : power % stride ? [] : [1];
      splits.push(...factors.map(factor => Number(`${factor}e${power}`)).filter(value => value >= min && value <= max));
    }
    return splits;
  }

  function symmetricSplits(_, axis, min, max) {
    const powers = Math.max(1, Math.ceil(Math.log10(Math.max(Math.abs(min), Math.abs(max), 10))));
    const stride = Math.max(1, Math.ceil((min < 0 ? 2 : 1) * powers / 7)), splits = [0];
    for (let power = 0; power <= powers; power += stride) splits.push(10 ** power, -(10 ** power));
    return splits.filter(value => value >= min && value <= max).sort((a, b) => a - b);
  }

  // The box beside the pointer: every visible series with its value and range, the largest first.
  function read(chart, plot) {
    const { left, idxs } = plot.cursor;
    if (!chart.active || left === undefined || left < 0) { chart.readout.hidden = true; return; }
    const rows = [];
    for (const { group, line, range } of chart.layout) {
      const index = idxs[line];
      if (!state.shown[group] || index == null) continue;
      const value = plot.data[line][index];
      const [low, high] = range.map(column => plot.data[column][index]);
      rows.push({ look: data.groups[group], value, low, high });
    }
    rows.sort((a, b) => b.value - a.value);
    const title = document.createElement("b");
    title.textContent = `t = ${format(plot.posToVal(left, "x"))}`;
    const lines = rows.slice(0, 14).map(({ look, value, low, high }) => {
      const line = document.createElement("div"), name = document.createElement("span"), number = document.createElement("span");
      name.textContent = `${look.method ? look.method + ", " : ""}${look.label}`;
      number.className = "value";
      number.textContent = format(value) + (low == null || high == null || low === high ? "" : `  [${format(low)}, ${format(high)}]`);
      line.append(swatch(look), name, number);
      return line;
    });
    if (rows.length > 14) lines.push(`and ${rows.length - 14} more`);
    chart.readout.replaceChildren(title, ...lines);
    chart.readout.hidden = false;
    // Below the plot, so that the lines stay visible; above it where the window ends.
    const frame = chart.plot.getBoundingClientRect(), height = chart.readout.offsetHeight;
    const below = frame.bottom + height <= innerHeight || frame.top < height;
    chart.readout.style.top = `${chart.plot.offsetTop + (below ? chart.plot.offsetHeight : -height)}px`;
  }

  function swatch(look) {
    const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    picture.setAttribute("width", "30");
    picture.setAttribute("height", "10");
    picture.setAttribute("aria-hidden", "true");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
    const attributes = { x1: 0, y1: 5, x2: 30, y2: 5, stroke: colour(look), "stroke-width": 2.5, "stroke-dasharray": DASHES[look.dash % 5].join(" ") };
    for (const [name, value] of Object.entries(attributes)) line.setAttribute(name, String(value));
    picture.append(line);
    return picture;
  }

  function draw(chart) {
    chart.uplot?.destroy();
    const { values, layout } = columns(chart);
    chart.layout = layout;
    chart.uplot = new uPlot(options(chart, layout), values, chart.plot);
    applyRange(chart);
  }

  function applyRange(chart) {
    const times = chart.uplot.data[0];
    if (!times.length) return;
    const [min, max] = state.range ?? [times[0], times[times.length - 1]];
    chart.uplot.setScale("x", { min, max: max > min ? max : min + 1 });
  }

  function zoom(range) {
    state.range = range;
    all.forEach(applyRange);
  }

  // Enlarges or shrinks the visible times by a factor, around the cursor of `chart` or their middle.
  function scaleBy(factor, chart = all[0]) {
    const { min, max } = chart.uplot.scales.x;
    const left = chart.uplot.cursor.left;
    const middle = chart.active && left >= 0 ? chart.uplot.posToVal(left, "x") : (min + max) / 2;
    const ends = all.flatMap(({ uplot }) => [uplot.data[0][0], uplot.data[0].at(-1)]).filter(Number.isFinite);
    const low = Math.max(middle - (middle - min) * factor, Math.min(...ends));
    const high = Math.min(middle + (max - middle) * factor, Math.max(...ends));
    if (high > low) zoom([low, high]);
  }

  function show(group, shown) {
    state.shown[group] = shown;
    for (const chart of all) {
      chart.uplot.batch(() => {
        for (const { group: own, line, range } of chart.layout) {
          if (own === group) [line, ...range].forEach(series => chart.uplot.setSeries(series, { show: shown }));
        }
      });
    }
  }

  function button(text, action) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.addEventListener("click", () => action(made));
    return made;
  }

  function toggle(text, pressed, action) {
    const made = button(text, () => {
      const now = made.getAttribute("aria-pressed") !== "true";
      made.setAttribute("aria-pressed", String(now));
      action(now);
    });
    made.setAttribute("aria-pressed", String(pressed));
    return made;
  }

  function legend(controls) {
    const boxes = [], methods = new Map();
    data.groups.forEach((group, index) => {
      if (!methods.has(group.method)) methods.set(group.method, []);
      const label = document.createElement("label"), box = document.createElement("input");
      box.type = "checkbox";
      box.checked = state.shown[index];
      box.dataset.group = index;
      box.addEventListener("change", () => show(index, box.checked));
      boxes.push(box);
      label.append(box, swatch(group), `${group.label}${group.runs > 1 ? ` (${group.runs} runs)` : ""}${group.off ? ", diverges" : ""}`);
      methods.get(group.method).push(label);
    });
    for (const [method, labels] of methods) {
      const set = document.createElement("fieldset"), name = document.createElement("legend");
      set.className = "legend";
      name.textContent = method || "Runs";
      set.append(name, ...labels);
      controls.append(set);
    }
    const every = shown => () => boxes.forEach((box, index) => { box.checked = shown; show(index, shown); });
    const view = document.createElement("div"), hint = document.createElement("span");
    view.className = "view";
    hint.className = "hint";
    hint.textContent = "Drag across a chart to zoom, double-click to reset; with the keyboard: arrows, +, −, 0.";
    view.append(button("Show all", every(true)), button("Hide all", every(false)),
      toggle("Logarithmic time", false, now => { state.logTime = now; state.range = null; all.forEach(draw); }),
      toggle("Ranges", true, now => { state.ranges = now; all.forEach(draw); }),
      button("Zoom in", () => scaleBy(0.5)), button("Zoom out", () => scaleBy(2)), button("Reset zoom", () => zoom(null)), hint);
    controls.append(view);
  }

  function keys(chart, event) {
    const plot = chart.uplot, width = plot.over.clientWidth;
    const move = { ArrowLeft: -0.02, ArrowRight: 0.02 }[event.key];
    if (move) {
      const left = plot.cursor.left >= 0 ? plot.cursor.left + move * width : width / 2;
      chart.readout.setAttribute("aria-live", "polite");
      plot.setCursor({ left: Math.min(Math.max(left, 0), width - 1), top: plot.over.clientHeight / 2 });
    } else if (event.key === "+" || event.key === "=") scaleBy(0.5, chart);
    else if (event.key === "-") scaleBy(2, chart);
    else if (event.key === "0" || event.key === "Escape") zoom(null);
    else return;
    event.preventDefault();
  }

  const all = data.charts.map(({ id, scale, series }) => {
    const figure = document.querySelector(`[data-chart="${id}"]`);
    const chart = { id, series, log: scale === "log", signed: scale !== "log", fenced: scale !== "log", active: false, figure, plot: figure.querySelector(".plot"), readout: figure.querySelector(".readout") };
    figure.querySelector("figcaption").append(
      Object.assign(toggle("Log", chart.log, now => { chart.log = now; draw(chart); }), { title: "Logarithmic values" }));
    const enter = () => { chart.active = true; }, leave = () => { chart.active = false; chart.readout.hidden = true; };
    chart.plot.addEventListener("pointerenter", () => { chart.readout.setAttribute("aria-live", "off"); enter(); });
    chart.plot.addEventListener("pointerleave", leave);
    chart.plot.addEventListener("focus", enter);
    chart.plot.addEventListener("blur", leave);
    chart.plot.addEventListener("keydown", event => keys(chart, event));
    return chart;
  });

  function redraw() {
    all.forEach(draw);
    for (const picture of document.querySelectorAll(".legend svg")) {
      const group = picture.parentElement.querySelector("input").dataset.group;
      picture.replaceWith(swatch(data.groups[group]));
    }
  }

  legend(document.getElementById("chart-controls"));
  all.forEach(draw);
  dark.addEventListener("change", redraw);
  addEventListener("beforeprint", () => { state.printing = true; redraw(); });
  addEventListener("afterprint", () => { state.printing = false; redraw(); });
  new ResizeObserver(() => {
    if (state.printing) return;
    for (const { uplot, plot } of all) {
      if (plot.clientWidth && plot.clientWidth !== uplot.width) uplot.setSize({ width: plot.clientWidth, height: plot.clientHeight });
    }
  }).observe(document.querySelector(".chart-grid"));
  return { all, state, show, zoom };
})();
