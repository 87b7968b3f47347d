// What a chart shows as files: the values as CSV, the drawing as SVG and as PNG. Nothing leaves the machine.
"use strict";

const chartExport = (() => {
  const SIZE = { width: 760, height: 420, left: 78, right: 16, top: 44, bottom: 48 };
  const FONT = "system-ui, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif";
  const escape = text => String(text).replace(/[&<>"]/g, sign => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);
  const cell = text => (/[",\n]/.test(text) ? `"${String(text).replace(/"/g, '""')}"` : String(text));

  // One line a shown point: quantity, unit, configuration, seed or "median", time, value, quartiles.
  function csv(charts, groups, { seed }) {
    const lines = ["quantity,unit,method,configuration,seed,t,value,lower_quartile,upper_quartile"];
    for (const chart of charts) {
      const { min, max } = chart.uplot.scales.x;
      for (const curve of chart.shown) {
        const group = groups[curve.group];
        const which = seed ?? (group.runs > 1 ? "median" : group.seeds[0] ?? "");
        const start = [chart.title, chart.unitText, group.method, group.label, which].map(cell).join(",");
        curve.t.forEach((time, place) => {
          if (time < min || time > max) return;
          lines.push(`${start},${time},${curve.y[place]},${curve.lo?.[place] ?? ""},${curve.hi?.[place] ?? ""}`);
        });
      }
    }
    return `${lines.join("\r\n")}\r\n`;
  }

  // The chart on white paper: as on the screen, with a legend below.
  function svg(chart, groups, state) {
    const { width, left, right, top, bottom } = SIZE;
    const plot = { width: width - left - right, height: SIZE.height - top - bottom };
    const rows = Math.ceil(chart.shown.length / 2), remarks = wrapped([...chart.note.children].map(({ textContent }) => textContent));
    const height = SIZE.height + (rows + remarks.length) * 20 + 8;
    const timeAxis = { kind: state.logTime ? "log" : "linear" };
    const { x, y } = chart.uplot.scales, paper = PAPER.light;
    const across = time => left + plot.width * chartAxes.part(timeAxis, time, x.min, x.max);
    const up = value => top + plot.height * (1 - chartAxes.part(chart.axis, value, y.min, y.max));
    const drawable = (time, value) => Number.isFinite(value) && (chart.axis.kind !== "log" || value > 0) && (!state.logTime || time > 0);
    // Far outside of the picture all places look alike; some programs do not read very large numbers.
    const at = (time, value) => `${across(time).toFixed(1)},${Math.min(Math.max(up(value), -1e4), 1e4).toFixed(1)}`;
    const points = (curve, values) => curve.t.map((time, place) => [time, values[place]]).filter(([time, value]) => drawable(time, value));
    const parts = [`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${FONT}" font-size="13">`,
      `<title>${escape(`${chart.title}, ${chart.unitText}, over time t`)}</title>`, `<rect width="${width}" height="${height}" fill="#fff"/>`,
      `<text x="${left}" y="18" font-size="15" font-weight="600" fill="#16191d">${escape(chart.title)}</text>`,
      `<text x="${left}" y="36" fill="${paper.ink}">${escape(chart.unitText)}${state.seed === null ? "" : escape(`, seed ${state.seed}`)}</text>`,
      `<clipPath id="plot"><rect x="${left}" y="${top}" width="${plot.width}" height="${plot.height}"/></clipPath>`];
    const text = (axis, value) => escape(axis.kind === "linear" ? chartAxes.format(value) : chartAxes.tick(value));
    for (const value of chartAxes.splitsOf(timeAxis, x.min, x.max)) {
      const place = across(value).toFixed(1);
      parts.push(`<path d="M${place},${top}V${top + plot.height}" stroke="${paper.grid}"/>`,
        `<text x="${place}" y="${top + plot.height + 18}" text-anchor="middle" fill="${paper.ink}">${text(timeAxis, value)}</text>`);
    }
    for (const value of chartAxes.splitsOf(chart.axis, y.min, y.max)) {
      const place = up(value);
      parts.push(`<path d="M${left},${place.toFixed(1)}H${left + plot.width}" stroke="${value === 0 ? paper.zero : paper.grid}"/>`,
        `<text x="${left - 8}" y="${(place + 4).toFixed(1)}" text-anchor="end" fill="${paper.ink}">${text(chart.axis, value)}</text>`);
    }
    parts.push(`<text x="${left + plot.width / 2}" y="${top + plot.height + 38}" text-anchor="middle" fill="${paper.ink}">time t</text>`, '<g clip-path="url(#plot)" fill="none">');
    for (const curve of chart.shown) {
      const look = lookOf(groups[curve.group], "light");
      if (curve.lo && state.ranges) {
        const [above, below] = [points(curve, curve.hi), points(curve, curve.lo).reverse()];
        const outline = [...above, ...below].map(([time, value]) => at(time, value));
        if (outline.length) parts.push(`<path d="M${outline.join("L")}Z" fill="${look.stroke}" fill-opacity="0.13"/>`);
      }
      const line = points(curve, curve.y).map(([time, value]) => at(time, value));
      if (line.length) parts.push(`<path d="M${line.join("L")}" stroke="${look.stroke}" stroke-width="1.8"${look.dash.length ? ` stroke-dasharray="${look.dash.join(" ")}"` : ""}/>`);
    }
    parts.push("</g>");
    chart.shown.forEach((curve, place) => {
      const look = lookOf(groups[curve.group], "light");
      const [from, down] = [left + (place % 2) * (plot.width / 2), SIZE.height + 8 + Math.floor(place / 2) * 20];
      parts.push(`<path d="M${from},${down}h34" stroke="${look.stroke}" stroke-width="2.5"${look.dash.length ? ` stroke-dasharray="${look.dash.join(" ")}"` : ""}/>`,
        `<text x="${from + 42}" y="${down + 4}" fill="#16191d">${escape(chartValues.nameOf(groups[curve.group]))}</text>`);
    });
    remarks.forEach((line, place) => parts.push(
      `<text x="${left}" y="${SIZE.height + 12 + (rows + place) * 20}" font-size="12" fill="${paper.ink}">${escape(line)}</text>`));
    parts.push("</svg>");
    return parts.join("\n");
  }

  // Sentences as lines of at most about a hundred letters.
  function wrapped(sentences) {
    return sentences.flatMap(sentence => sentence.match(/.{1,100}(?:\s|$)/g) ?? []).map(line => line.trim());
  }

  // The drawing at twice its size, as a PNG.
  async function png(drawing) {
    const picture = new Image();
    const ready = new Promise((done, failed) => { picture.onload = done; picture.onerror = failed; });
    picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(drawing)}`;
    await ready;
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [2 * picture.naturalWidth, 2 * picture.naturalHeight];
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    return new Promise(done => canvas.toBlob(done, "image/png"));
  }

  function save(name, content, type) {
    const blob = content instanceof Blob ? content : new Blob([content], { type });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    // After the browser has begun to read it.
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  const named = (chart, { seed }) => chart.id + (seed === null ? "" : `-seed-${seed}`);

  return {
    csv: (charts, groups, state) => save(`${charts.length > 1 ? "traces" : named(charts[0], state)}.csv`, csv(charts, groups, state), "text/csv;charset=utf-8"),
    svg: (chart, groups, state) => save(`${named(chart, state)}.svg`, svg(chart, groups, state), "image/svg+xml"),
    png: async (chart, groups, state) => save(`${named(chart, state)}.png`, await png(svg(chart, groups, state)), "image/png"),
  };
})();
