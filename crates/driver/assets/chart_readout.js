// The box of values at one time: by pointer, finger or arrow keys; a curve that has ended says so instead of a value.
"use strict";

const chartReadout = (() => {
  const MOST_ROWS = 14;
  const MOST_QUARTILES = 6;
  // Pixels.
  const NARROW = 440;

  // A short line in a curve's colour and dash.
  function swatch(look) {
    const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
    const set = (element, attributes) => Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, String(value)));
    set(picture, { width: 30, height: 10, "aria-hidden": "true" });
    set(line, { x1: 0, y1: 5, x2: 30, y2: 5, stroke: look.stroke, "stroke-width": 2.5, "stroke-dasharray": look.dash.join(" ") });
    picture.append(line);
    return picture;
  }

  // What a curve says at a time: its value with the quartiles and the seeds that go on, or when it ended.
  function saying(curve, group, time, quartiles) {
    const end = curve.t.at(-1);
    if (time > end) return { ended: end, text: `ended at t = ${chartAxes.format(end)}` };
    const value = chartValues.valueAt(curve.t, curve.y, time);
    if (value === null) return { ended: -Infinity, text: `begins at t = ${chartAxes.format(curve.t[0])}` };
    let text = chartAxes.format(value);
    if (curve.lo && quartiles) {
      const [low, high] = [curve.lo, curve.hi].map(values => valueText(curve.t, values, time));
      if (low !== high) text += `  [${low}, ${high}]`;
    }
    const going = curve.ends?.filter(own => own >= time).length;
    if (going < group.runs) text += `, ${going} of ${group.runs} seeds`;
    return { value, text };
  }

  const valueText = (times, values, time) => chartAxes.format(chartValues.valueAt(times, values, time));

  // The time of the sample nearest to the cursor: recorded values rather than ones between.
  const timeOf = plot => plot.data[0][plot.cursor.idx];

  function fill(chart, plot, groups, theme) {
    const time = timeOf(plot);
    // A phone has room for the quartiles of few curves.
    const quartiles = chart.plot.clientWidth > NARROW || chart.shown.length <= MOST_QUARTILES;
    const rows = chart.shown.map(curve => {
      const group = groups[curve.group];
      return { look: lookOf(group, theme), name: chartValues.nameOf(group), ...saying(curve, group, time, quartiles) };
    });
    const rank = row => ("value" in row ? 0 : 1);
    rows.sort((a, b) => rank(a) - rank(b) || (rank(a) ? b.ended - a.ended : b.value - a.value));
    const title = document.createElement("b");
    title.textContent = `t = ${chartAxes.format(time)}`;
    const lines = rows.slice(0, MOST_ROWS).map(row => {
      const line = document.createElement("div"), name = document.createElement("span"), number = document.createElement("span");
      if (rank(row)) line.className = "ended";
      name.textContent = row.name;
      number.className = "value";
      number.textContent = row.text;
      line.append(swatch(row.look), name, number);
      return line;
    });
    if (!quartiles && chart.shown.some(({ lo }) => lo)) lines.push(`Quartiles are given for up to ${MOST_QUARTILES} curves.`);
    if (rows.length > MOST_ROWS) lines.push(`and ${rows.length - MOST_ROWS} more`);
    chart.readout.replaceChildren(title, ...lines);
  }

  function hide(chart) {
    const byFinger = chart.finger;
    Object.assign(chart, { active: false, finger: false });
    chart.readout.hidden = true;
    if (byFinger) chart.uplot.setCursor({ left: -10, top: -10 });
  }

  // Shows the values at the cursor of an active chart, below the plot so that the lines stay visible.
  function show(chart, plot, groups, theme) {
    const { left, idx } = plot.cursor;
    if (!chart.active || left === undefined || left < 0 || idx == null) { chart.readout.hidden = true; return; }
    fill(chart, plot, groups, theme);
    chart.readout.hidden = false;
    // Above the plot where the window ends below it.
    const frame = chart.plot.getBoundingClientRect(), height = chart.readout.offsetHeight;
    const below = frame.bottom + height <= innerHeight || frame.top < height;
    chart.readout.style.top = `${chart.plot.offsetTop + (below ? chart.plot.offsetHeight : -height)}px`;
  }

  // Moves the cursor to a place in pixels from the left of the plotting area.
  function moveTo(chart, left) {
    const { over } = chart.uplot;
    chart.uplot.setCursor({ left: Math.min(Math.max(left, 0), over.clientWidth), top: over.clientHeight / 2 });
  }

  // Values under the mouse while it is there, and under a finger until the next tap elsewhere.
  function listen(chart, all) {
    const byFinger = event => event.pointerType !== "mouse";
    const follow = event => {
      for (const other of all()) if (other !== chart) hide(other);
      chart.readout.setAttribute("aria-live", "off");
      Object.assign(chart, { active: true, finger: true });
      moveTo(chart, event.clientX - chart.uplot.over.getBoundingClientRect().left);
    };
    chart.plot.addEventListener("pointerenter", event => {
      if (byFinger(event)) return;
      chart.finger = false;
      chart.readout.setAttribute("aria-live", "off");
      chart.active = true;
    });
    chart.plot.addEventListener("pointerleave", event => { if (!byFinger(event)) hide(chart); });
    chart.plot.addEventListener("pointerdown", event => { if (byFinger(event)) follow(event); });
    chart.plot.addEventListener("pointermove", event => { if (byFinger(event)) follow(event); });
    document.addEventListener("pointerdown", event => { if (!chart.plot.contains(event.target)) hide(chart); });
    chart.plot.addEventListener("blur", () => hide(chart));
  }

  // Arrow keys by a fiftieth of the width, Home and End, Escape.
  function key(chart, event) {
    const width = chart.uplot.over.clientWidth, left = chart.uplot.cursor.left;
    const shown = !chart.readout.hidden && left >= 0;
    const places = {
      ArrowLeft: shown ? left - width / 50 : width / 2, ArrowRight: shown ? left + width / 50 : width / 2, Home: 0, End: width,
    };
    if (event.key in places) {
      chart.readout.setAttribute("aria-live", "polite");
      chart.active = true;
      moveTo(chart, places[event.key]);
    } else if (event.key === "Escape" && shown) {
      hide(chart);
      chart.uplot.setCursor({ left: -10, top: -10 });
    } else return false;
    return true;
  }

  return { swatch, show, listen, key };
})();
