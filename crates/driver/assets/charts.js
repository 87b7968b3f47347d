// The interactive charts: drawing, the controls above them, and what they do.
"use strict";

// Width and height on paper: two columns of an A4 sheet.
const PRINTED = { width: 336, height: 210 };

const charts = (() => {
  const source = document.getElementById("chart-data");
  if (!source) return null;
  const data = JSON.parse(source.textContent);
  const groups = data.groups;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const fresh = { shown: groups.map(group => !group.off), logTime: false, ranges: true, range: null, seed: null, baseline: null };
  const state = { ...fresh, printing: false };
  const theme = () => (dark.matches && !state.printing ? "dark" : "light");

  // Columns on one common time: per curve the line, then the quartiles where there are any.
  function columns(chart) {
    const drawable = value => (chart.axis.kind === "log" && value <= 0 ? null : value);
    const tables = [], layout = [];
    let next = 1;
    for (const curve of chart.shown) {
      const kept = curve.t.flatMap((time, index) => (!state.logTime || time > 0 ? [index] : []));
      const column = values => kept.map(index => drawable(values[index]));
      const table = [kept.map(index => curve.t[index]), column(curve.y)];
      if (curve.lo) table.push(column(curve.lo), column(curve.hi));
      layout.push({ curve, line: next, band: curve.lo ? [next + 1, next + 2] : [] });
      next += table.length - 1;
      tables.push(table);
    }
    return { values: tables.length ? uPlot.join(tables) : [[]], layout };
  }

  // The nearest time at which this curve has a value: curves have times of their own. Null once it has ended.
  function nearest(plot, series, index) {
    const values = plot.data[series], times = plot.data[0];
    let before = index, after = index;
    while (before >= 0 && values[before] == null) before--;
    while (after < values.length && values[after] == null) after++;
    if (before < 0 || after >= values.length) return null;
    return times[index] - times[before] <= times[after] - times[index] ? before : after;
  }

  function zeroLine(plot, colour) {
    const { min, max } = plot.scales.y;
    if (!(min < 0 && max > 0)) return;
    const { ctx, bbox } = plot, place = Math.round(plot.valToPos(0, "y", true));
    ctx.save();
    ctx.strokeStyle = colour;
    ctx.lineWidth = devicePixelRatio;
    ctx.beginPath();
    ctx.moveTo(bbox.left, place);
    ctx.lineTo(bbox.left + bbox.width, place);
    ctx.stroke();
    ctx.restore();
  }

  function options(chart, layout) {
    const { ink, grid, zero } = PAPER[theme()];
    const series = [{}], bands = [];
    // The more bands, the fainter each: opacities of 15 to 6 per cent.
    const tint = layout.filter(({ band }) => band.length).length > 6 ? "10" : "26";
    for (const { curve, band } of layout) {
      const { stroke, dash } = lookOf(groups[curve.group], theme());
      series.push({ stroke, width: 1.8, dash, points: { show: false } });
      for (const _ of band) series.push({ stroke: "transparent", width: 0, points: { show: false } });
      if (band.length && state.ranges) bands.push({ series: [band[1], band[0]], fill: `${stroke}${tint}` });
    }
    const { kind, threshold } = chart.axis;
    const axis = {
      filter: (_, splits) => splits, values: (_, splits) => splits.map(chartAxes.format), stroke: ink, font: "12px system-ui, sans-serif",
      grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 }, labelFont: "12px system-ui, sans-serif", labelSize: 18,
    };
    const powers = own => ({ splits: (_, index, min, max) => chartAxes.splitsOf(own, min, max), values: (_, splits) => splits.map(chartAxes.tick) });
    return {
      width: state.printing ? PRINTED.width : chart.plot.clientWidth,
      height: state.printing ? PRINTED.height : chart.plot.clientHeight,
      series, bands,
      legend: { show: false },
      scales: {
        x: { time: false, distr: state.logTime ? 3 : 1 },
        y: { distr: { linear: 1, log: 3, symmetric: 4 }[kind], asinh: threshold ?? 1, range: () => rangeNow(chart) },
      },
      axes: [
        { ...axis, ...(state.logTime && powers({ kind: "log" })), label: "time t", size: 34 },
        { ...axis, ...(kind !== "linear" && powers(chart.axis)), ...(chart.ratio && { label: "ratio" }), size: 64 },
      ],
      cursor: {
        sync: { key: "time", setSeries: false },
        drag: { x: true, y: false, setScale: false },
        bind: {
          dblclick: () => () => { zoom(null); return null; },
          // After a tap browsers send what a mouse would do, and then that it has left.
          mouseleave: (_, element, leave) => event => (chart.finger ? null : leave(event)),
        },
        dataIdx: (plot, index, closest) => (index === 0 || closest === null ? closest : nearest(plot, index, closest)),
        points: { size: 7 },
      },
      hooks: {
        drawAxes: [plot => zeroLine(plot, zero)],
        setSelect: [plot => {
          if (plot.select.width < 4) return;
          const [from, to] = [plot.select.left, plot.select.left + plot.select.width];
          zoom([plot.posToVal(from, "x"), plot.posToVal(to, "x")]);
          plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
        }],
        setCursor: [plot => chartReadout.show(chart, plot, groups, theme())],
      },
    };
  }

  // The range of values at the times shown; under the chart stands what lies outside of it.
  function rangeNow(chart) {
    const [min, max] = chart.times;
    const curves = chart.shown.map(curve => (state.ranges ? curve : { ...curve, lo: undefined }));
    const { range, notes } = chartAxes.rangeOf(chart.axis, curves, min, max, groups);
    chart.note.replaceChildren(...[...chart.said, ...notes].map(text => Object.assign(document.createElement("p"), { textContent: text })));
    return range;
  }

  function draw(chart) {
    chart.uplot?.destroy();
    const { curves, unit, ratio, notes } = chartValues.curvesOf(data, chart.source, state);
    Object.assign(chart, { shown: curves.filter(curve => state.shown[curve.group]), unitText: unit, ratio, said: notes });
    chart.axis = chartAxes.kindOf(chart, chart.shown);
    chart.figure.querySelector(".unit").textContent = unit;
    const { values, layout } = columns(chart);
    setTimes(chart, values[0]);
    chart.uplot = new uPlot(options(chart, layout), values, chart.plot);
    applyRange(chart);
    if (!chart.shown.length) chart.note.replaceChildren("Nothing to show: tick a configuration above.");
  }

  // The times of all charts, so that they share one axis.
  function ends() {
    const least = state.logTime ? time => time > 0 : () => true;
    const times = all.flatMap(({ shown }) => shown.flatMap(({ t }) => [t.find(least), t.at(-1)])).filter(Number.isFinite);
    return times.length ? [Math.min(...times), Math.max(...times)] : [0, 1];
  }

  // The times that a chart shows: those zoomed to, or all of its own.
  function setTimes(chart, own) {
    const zoomed = state.range && (!state.logTime || state.range[0] > 0);
    const [min, max] = zoomed ? state.range : own.length ? [own[0], own.at(-1)] : [0, 1];
    chart.times = [min, max > min ? max : min + 1];
  }

  function applyRange(chart) {
    if (!chart.uplot.data[0].length) return;
    setTimes(chart, chart.uplot.data[0]);
    const [min, max] = chart.times;
    chart.uplot.setScale("x", { min, max });
  }

  const remember = () => chartLink.write(state, fresh, all);

  function zoom(range) {
    state.range = range;
    all.forEach(applyRange);
    remember();
  }

  // Enlarges or shrinks the visible times by a factor, around the cursor of `chart` or their middle.
  function scaleBy(factor, chart = all.find(({ active }) => active) ?? all[0]) {
    const { min, max } = chart.uplot.scales.x;
    const left = chart.uplot.cursor.left;
    const middle = chart.active && left >= 0 ? chart.uplot.posToVal(left, "x") : (min + max) / 2;
    const [first, last] = ends();
    const low = Math.max(middle - (middle - min) * factor, first);
    const high = Math.min(middle + (max - middle) * factor, last);
    if (high > low) zoom([low, high]);
  }

  // Puts part of a new state in place, draws, and brings the controls and the address in line.
  function change(part) {
    Object.assign(state, part);
    all.forEach(draw);
    controls.sync();
    remember();
  }

  function setMode(chart, mode) {
    chart.mode = mode;
    draw(chart);
    controls.sync();
    remember();
  }

  const all = data.charts.map(source => {
    const figure = document.querySelector(`[data-chart="${source.id}"]`);
    const note = Object.assign(document.createElement("div"), { className: "note beyond" });
    figure.querySelector(".plot").after(note);
    return {
      id: source.id, title: source.title, scale: source.scale, source, mode: "auto", active: false, finger: false,
      figure, note, plot: figure.querySelector(".plot"), readout: figure.querySelector(".readout"),
    };
  });
  const actions = { change, zoom, scaleBy, setMode };
  const controls = chartControls({ data, all, state, fresh, theme, actions });

  function keys(chart, event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (!chartReadout.key(chart, event)) {
      if (event.key === "+" || event.key === "=") scaleBy(0.5, chart);
      else if (event.key === "-") scaleBy(2, chart);
      else if (event.key === "0" || event.key === "Escape") zoom(null);
      else return;
    }
    event.preventDefault();
  }

  function redraw() {
    all.forEach(draw);
    controls.repaint();
  }

  const scrollHere = () => document.getElementById("charts").scrollIntoView({ behavior: "instant" });

  function restore() {
    if (!chartLink.read(state, fresh, all, data.seeds)) return false;
    all.forEach(draw);
    controls.sync();
    scrollHere();
    // Pictures above may still grow.
    if (document.readyState !== "complete") addEventListener("load", scrollHere, { once: true });
    return true;
  }

  for (const chart of all) {
    chartReadout.listen(chart, () => all);
    chart.plot.addEventListener("keydown", event => keys(chart, event));
  }
  if (!restore()) all.forEach(draw);
  addEventListener("hashchange", restore);
  dark.addEventListener("change", redraw);
  addEventListener("beforeprint", () => { state.printing = true; redraw(); });
  addEventListener("afterprint", () => { state.printing = false; redraw(); });
  new ResizeObserver(() => {
    if (state.printing) return;
    for (const { uplot, plot } of all) {
      if (plot.clientWidth && plot.clientWidth !== uplot.width) uplot.setSize({ width: plot.clientWidth, height: plot.clientHeight });
    }
  }).observe(document.querySelector(".chart-grid"));
  return { all, state, zoom, change, groups };
})();
