// The curves that a chart shows: medians with quartiles or the runs of one seed, as they are or divided by a baseline.
"use strict";

const chartValues = (() => {
  // The name of a group of runs.
  const nameOf = group => (group.method ? `${group.method}, ` : "") + group.label;

  // The place of the last of ascending `times` that is not after `time`; -1 before the first.
  function placeOf(times, time) {
    let low = -1, high = times.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (times[middle] <= time) low = middle; else high = middle;
    }
    return low;
  }

  // The value of a curve at `time`, linear between its points; null outside of them.
  function valueAt(times, values, time) {
    const place = placeOf(times, time);
    if (place < 0 || (place === times.length - 1 && times[place] !== time)) return null;
    if (times[place] === time) return values[place];
    const part = (time - times[place]) / (times[place + 1] - times[place]);
    return (1 - part) * values[place] + part * values[place + 1];
  }

  // The curves of a chart for one seed; a group of one run is its own curve.
  function singleRuns(data, chart, seed) {
    const single = chart.series.filter(({ group }) => {
      const { runs, seeds } = data.groups[group];
      return runs === 1 && seeds[0] === seed;
    }).map(({ group, t, y }) => ({ group, t, y }));
    const chosen = chart.runs.filter(run => run.seed === seed).map(({ group, grid, y, end }) => {
      const t = data.times[grid].slice(0, y.length);
      return end ? { group, t: [...t, end[0]], y: [...y, end[1]] } : { group, t, y };
    });
    return [...single, ...chosen].sort((a, b) => a.group - b.group);
  }

  // A curve divided by what `divisor` gives at each of its times; points without a divisor are left out.
  function divided(curve, divisor) {
    const kept = [], by = [];
    curve.t.forEach((time, place) => {
      const value = divisor(time);
      if (value !== null && value !== 0 && Number.isFinite(value)) { kept.push(place); by.push(value); }
    });
    const ratio = values => kept.map((place, index) => values[place] / by[index]);
    const result = { group: curve.group, t: kept.map(place => curve.t[place]), y: ratio(curve.y) };
    if (curve.lo) {
      const [lower, upper] = [ratio(curve.lo), ratio(curve.hi)];
      // A negative divisor turns the band over.
      result.lo = lower.map((value, index) => Math.min(value, upper[index]));
      result.hi = lower.map((value, index) => Math.max(value, upper[index]));
    }
    if (curve.ends) result.ends = curve.ends;
    return result;
  }

  // What the state makes of a chart's data: the curves of all groups, the unit in words, and what could not be done.
  function curvesOf(data, chart, { seed, baseline }) {
    const plain = seed === null ? chart.series : singleRuns(data, chart, seed);
    const notes = [];
    const whole = { curves: plain, unit: chart.unit, ratio: "", notes };
    if (baseline === null) return whole;
    let divisorOf, ratio;
    if (baseline === "start") {
      divisorOf = curve => () => curve.y[0];
      ratio = "its own value at the start";
    } else {
      const base = plain.find(({ group }) => group === baseline);
      ratio = nameOf(data.groups[baseline]);
      if (!base) return { ...whole, notes: [...notes, `Not divided: this chart has no values of ${ratio}.`] };
      divisorOf = () => time => valueAt(base.t, base.y, time);
    }
    const all = plain.map(curve => divided(curve, divisorOf(curve)));
    const curves = all.filter(curve => curve.t.length);
    if (!curves.length) return { ...whole, notes: [...notes, `Not divided: ${ratio} is 0.`] };
    const lost = all.filter(curve => !curve.t.length).map(curve => nameOf(data.groups[curve.group]));
    if (lost.length) notes.push(`Left out, because there is nothing to divide by: ${lost.join("; ")}.`);
    return { curves, unit: `${chart.unit} divided by ${ratio}`, ratio, notes };
  }

  return { nameOf, placeOf, valueAt, curvesOf };
})();
