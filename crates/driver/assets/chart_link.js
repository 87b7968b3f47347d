// The state of the charts as a link: #charts:show=0.3&time=log&zoom=0.1_0.5 opens the page as it was.
"use strict";

const chartLink = (() => {
  const PREFIX = "#charts:";
  const shown = flags => flags.flatMap((on, index) => (on ? [index] : [])).join(".") || "none";

  // The part of an address that holds the state; empty where all is as on a fresh page.
  function written(state, fresh, charts) {
    const parts = [];
    if (shown(state.shown) !== shown(fresh.shown)) parts.push(`show=${shown(state.shown)}`);
    if (state.logTime) parts.push("time=log");
    if (!state.ranges) parts.push("bands=off");
    if (state.range) parts.push(`zoom=${state.range.map(time => Number(time.toPrecision(6))).join("_")}`);
    if (state.seed !== null) parts.push(`seed=${state.seed}`);
    if (state.baseline !== null) parts.push(`by=${state.baseline}`);
    for (const mode of ["log", "linear"]) {
      const ids = charts.filter(chart => chart.mode === mode).map(chart => chart.id);
      if (ids.length) parts.push(`${mode}=${ids.join(".")}`);
    }
    return parts.join("&");
  }

  // Writes the state into the address without a new entry in the history; other anchors stay while the state is fresh.
  function write(state, fresh, charts) {
    const text = written(state, fresh, charts);
    const ours = location.hash.startsWith(PREFIX);
    const hash = text ? PREFIX + text : "#charts";
    if ((!text && !ours) || hash === location.hash) return;
    // A page inside another document may not change its address; the link then stays as it is.
    try { history.replaceState(history.state, "", hash); } catch { return; }
  }

  // What the address says, put into the state; false where it holds none. What does not fit this page is passed over.
  function read(state, fresh, charts, seeds) {
    if (!location.hash.startsWith(PREFIX)) return false;
    const said = new URLSearchParams(location.hash.slice(PREFIX.length));
    const groups = state.shown.length;
    const list = key => (said.get(key) ?? "").split(".");
    const numbers = said.has("show") ? list("show").map(text => (/^\d+$/.test(text) ? Number(text) : -1)) : null;
    state.shown = fresh.shown.map((on, index) => (numbers ? numbers.includes(index) : on));
    state.logTime = said.get("time") === "log";
    state.ranges = said.get("bands") !== "off";
    const range = (said.get("zoom") ?? "").split("_").map(Number);
    state.range = said.has("zoom") && range.length === 2 && range[0] < range[1] && range.every(Number.isFinite) ? range : null;
    state.seed = said.has("seed") && seeds.includes(Number(said.get("seed"))) ? Number(said.get("seed")) : null;
    const by = said.get("by");
    state.baseline = by === "start" ? by : /^\d+$/.test(by ?? "") && Number(by) < groups ? Number(by) : null;
    for (const chart of charts) chart.mode = list("log").includes(chart.id) ? "log" : list("linear").includes(chart.id) ? "linear" : "auto";
    return true;
  }

  // The whole link into the clipboard; true where that worked.
  async function copy(state, fresh, charts) {
    const text = written(state, fresh, charts);
    const link = location.href.split("#")[0] + (text ? PREFIX + text : "#charts");
    try {
      await navigator.clipboard.writeText(link);
      return true;
    } catch {
      // Without the right to the clipboard: a field of text, selected and copied.
      const field = document.createElement("textarea");
      field.value = link;
      document.body.append(field);
      field.select();
      const copied = document.execCommand("copy");
      field.remove();
      return copied;
    }
  }

  return { write, read, copy };
})();
