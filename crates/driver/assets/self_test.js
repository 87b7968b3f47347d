// Opened as report.html#self-test, the page tries itself and writes what it found into the document.
"use strict";

if (location.hash === "#self-test") {
  const found = { errors: [] };
  addEventListener("error", event => found.errors.push(String(event.message)));
  const pixels = canvas => {
    // Read from a copy: reading the chart's own canvas would move it off the graphics processor.
    const copy = document.createElement("canvas");
    [copy.width, copy.height] = [canvas.width, canvas.height];
    const context = copy.getContext("2d", { willReadFrequently: true });
    context.drawImage(canvas, 0, 0);
    const bytes = context.getImageData(0, 0, copy.width, copy.height).data;
    let drawn = 0, sum = 0;
    for (let place = 0; place < bytes.length; place += 4) {
      if (bytes[place + 3]) { drawn++; sum = (sum * 31 + bytes[place] + 7 * bytes[place + 1] + 13 * bytes[place + 2] + place) % 1000003; }
    }
    return { drawn, sum };
  };
  // Two frames: the charts draw in the one after the change.
  const settled = () => new Promise(done => setTimeout(done, 60));

  const tryCharts = async () => {
    const canvas = index => charts.all[index].plot.querySelector("canvas");
    await settled();
    found.charts = charts.all.map((_, index) => ({ id: charts.all[index].id, drawn: pixels(canvas(index)).drawn }));
    const box = [...document.querySelectorAll(".legend input")].find(box => box.checked);
    const before = pixels(canvas(0)).sum;
    box.click();
    await settled();
    const without = pixels(canvas(0)).sum;
    box.click();
    await settled();
    found.toggle = { changes: without !== before, returns: pixels(canvas(0)).sum === before };
    const values = charts.all[0].figure.querySelector(".menu select");
    const choose = async mode => {
      values.value = mode;
      values.dispatchEvent(new Event("change"));
      await settled();
    };
    await choose("linear");
    found.linear = pixels(canvas(0)).sum !== before;
    await choose("auto");
    const { min, max } = charts.all[0].uplot.scales.x;
    charts.zoom([min, (min + max) / 2]);
    await settled();
    found.zoom = charts.all.every(({ uplot }) => uplot.scales.x.max <= (min + max) / 2 + 1e-9);
    charts.zoom(null);
    const { plot, readout } = charts.all[0];
    plot.focus();
    plot.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }));
    await settled();
    found.readout = readout.hidden ? "" : readout.textContent;
  };

  const tryTables = () => {
    found.tables = [...document.querySelectorAll("table[data-sortable]")].map(table => {
      const headers = [...table.tHead.rows[0].cells];
      const sorted = headers.map((header, column) => {
        if (header.dataset.kind === "none") return true;
        const numeric = header.dataset.kind === "number";
        const keys = () => [...table.tBodies[0].rows].map(row => sortKey(row.cells[column], numeric))
          .filter(key => !numeric || !isNaN(key));
        const ordered = (list, sign) => list.every((key, place) => place === 0
          || sign * (numeric ? key - list[place - 1] : key.localeCompare(list[place - 1], "en", { numeric: true })) >= 0);
        header.querySelector("button").click();
        const up = ordered(keys(), 1);
        header.querySelector("button").click();
        return up && ordered(keys(), -1);
      });
      return { id: table.id, rows: table.tBodies[0].rows.length, sorted };
    });
    const filter = document.querySelector("[data-filter]");
    if (filter) {
      const rows = [...document.querySelectorAll(`table[data-table="${filter.dataset.filter}"] tbody tr`)];
      const visible = () => rows.filter(row => !row.hidden).length;
      filter.value = "no row holds this text";
      filter.dispatchEvent(new Event("input"));
      found.filter = { none: visible() };
      filter.value = "";
      filter.dispatchEvent(new Event("input"));
      found.filter.all = visible() === rows.length;
    }
  };

  (async () => {
    try {
      if (charts) await tryCharts();
      tryTables();
      const wide = [...document.querySelectorAll("body *")].filter(element =>
        element.getBoundingClientRect().right > document.documentElement.clientWidth + 1 && !element.closest(".table, .plot, .skip"));
      found.overflow = wide.slice(0, 5).map(element => `${element.tagName}.${element.className}`);
      found.unnamed = [...document.querySelectorAll("img:not([alt]), img[alt=''], [role=img]:not([aria-label])")].length;
    } catch (error) {
      found.errors.push(String(error));
    }
    const result = document.createElement("pre");
    result.id = "self-test";
    result.textContent = JSON.stringify(found);
    document.body.append(result);
  })();
}
