// Axes of the charts: which kind and range suits the values, their ticks, and numbers as text.
"use strict";

const chartAxes = (() => {
  // The part of the largest value below which a logarithmic axis shows nothing: it is rounding.
  const ROUNDING = 1e-32;
  // Up to this many times the usual size a linear axis shows all curves; beyond, it would flatten most of them.
  const LINEAR_REACH = 40;
  // A symmetric-logarithmic axis shows four decades beyond the usual size: a curve that diverges further is cut off.
  const REACH = 1e4;
  const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

  function format(value) {
    if (value === 0) return "0";
    const size = Math.abs(value);
    if (size >= 1e5 || size < 1e-3) return value.toExponential(3).replace(/\.?0+e/, "e").replace("e+", "e");
    return String(Number(value.toPrecision(5)));
  }

  // A power of ten as a power, on logarithmic axes.
  function tick(value) {
    const power = Math.log10(Math.abs(value));
    if (value !== 0 && Math.abs(power) > 3.5 && Math.abs(power - Math.round(power)) < 1e-9) {
      const digits = String(Math.abs(Math.round(power))).replace(/\d/g, digit => SUPERSCRIPTS[digit]);
      return `${value < 0 ? "−" : ""}10${power < 0 ? "⁻" : ""}${digits}`;
    }
    return format(value);
  }

  const middle = list => list.sort((a, b) => a - b)[Math.floor((list.length - 1) / 2)];
  const largest = values => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

  // The axis of values for the curves shown: its kind, and how far it reaches.
  //
  // The usual size is the median over the curves of their largest value, so that up to half of them may diverge.
  function kindOf(chart, curves) {
    const positive = chart.scale === "log";
    const wanted = chart.mode === "auto" && positive ? "log" : chart.mode;
    if (wanted === "log" && positive) return { kind: "log", fence: Infinity };
    const size = middle(curves.map(({ y }) => largest(y)).filter(value => value > 0)) ?? 1;
    // Linear only near zero, so that curves of the usual size take much of the height.
    const threshold = 10 ** (Math.round(Math.log10(size)) - 1);
    if (wanted === "log") return { kind: "symmetric", threshold, fence: Infinity };
    const fence = size * (wanted === "auto" ? REACH : LINEAR_REACH);
    const kept = curves.flatMap(({ y }) => y).filter(value => Math.abs(value) <= fence);
    const wide = wanted === "auto" && largest(kept) > LINEAR_REACH * size;
    return wide ? { kind: "symmetric", threshold, fence } : { kind: "linear", fence };
  }

  // The values of a curve from time `from` to `to`, with the neighbours that its line leads to.
  function within({ t }, values, from, to) {
    const first = Math.max(chartValues.placeOf(t, from), 0);
    return values.slice(first, Math.min(chartValues.placeOf(t, to) + 2, t.length));
  }

  // The range of values between two times, and in words what lies outside of it.
  function rangeOf(axis, curves, from, to, groups) {
    const inside = [], cut = [];
    const fits = value => value !== null && Number.isFinite(value) && Math.abs(value) <= axis.fence && (axis.kind !== "log" || value > 0);
    for (const curve of curves) {
      const line = within(curve, curve.y, from, to);
      const all = curve.lo ? [...line, ...within(curve, curve.lo, from, to), ...within(curve, curve.hi, from, to)] : line;
      inside.push(...all.filter(fits));
      const beyond = values => values.filter(value => Number.isFinite(value) && Math.abs(value) > axis.fence);
      const [lines, bands] = [beyond(line), beyond(all)];
      const far = lines.length ? lines : bands;
      if (far.length) {
        const [least, most] = [Math.min(...far), Math.max(...far)];
        const reach = [...(least < 0 ? [`down to ${format(least)}`] : []), ...(most > 0 ? [`up to ${format(most)}`] : [])].join(" and ");
        cut.push(`${lines.length ? "" : "the band of "}${chartValues.nameOf(groups[curve.group])} ${reach}`);
      }
    }
    const notes = [];
    if (cut.length) {
      const rest = cut.length > 6 ? `; and ${cut.length - 6} more` : "";
      notes.push(`Cut off by this axis: ${cut.slice(0, 6).join("; ")}${rest}. Logarithmic values show all.`);
    }
    if (axis.kind === "log") {
      // The first point is excepted: the deviation from the start is 0 there by definition.
      const zero = curves.filter(curve => within(curve, curve.y, from, to).some(value => value <= 0 && value !== curve.y[0]));
      const names = zero.slice(0, 6).map(curve => chartValues.nameOf(groups[curve.group]));
      const rest = zero.length > 6 ? `; and ${zero.length - 6} more` : "";
      if (zero.length) notes.push(`Values of 0 or below have no place on a logarithmic axis: some of ${names.join("; ")}${rest}.`);
    }
    return { range: padded(axis, inside), notes };
  }

  // The least range around the values, with some room.
  function padded({ kind, threshold }, values) {
    const low = values.reduce((least, value) => Math.min(least, value), Infinity);
    const high = values.reduce((most, value) => Math.max(most, value), -Infinity);
    if (!(high >= low)) return kind === "log" ? [0.1, 1] : [0, 1];
    if (kind === "log") {
      const [from, to] = [Math.log10(Math.max(low, high * ROUNDING)), Math.log10(high)];
      const room = Math.max((to - from) * 0.04, 0.02);
      return [10 ** (from - room), 10 ** (to + room)];
    }
    const [into, out] = kind === "symmetric" ? [v => Math.asinh(v / threshold), v => threshold * Math.sinh(v)] : [v => v, v => v];
    const [from, to] = [into(low), into(high)];
    const room = (to - from || Math.abs(to) || 1) * 0.06;
    return [out(from - room), out(to + room)];
  }

  // Powers of ten, at most about seven; within two decades 1, 2 and 5 of each.
  function logSplits(min, max) {
    const [from, to] = [Math.log10(min), Math.log10(max)];
    const stride = Math.max(1, Math.ceil((to - from) / 7)), splits = [];
    for (let power = Math.floor(from); power <= to; power++) {
      const factors = to - from < 0.7 ? [1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9] : to - from < 2 ? [1, 2, 5] : power % stride ? [] : [1];
      splits.push(...factors.map(factor => Number(`${factor}e${power}`)).filter(value => value >= min && value <= max));
    }
    return splits;
  }

  // Zero and every or every other power of ten beyond the threshold, on both sides; the threshold itself where nothing is beyond.
  function symmetricSplits(min, max, threshold) {
    const first = Math.round(Math.log10(threshold));
    const last = Math.max(first, Math.floor(Math.log10(Math.max(Math.abs(min), Math.abs(max), threshold))));
    const decades = value => Math.max(0, Math.log10(Math.max(value, threshold)) - first);
    const stride = Math.max(1, Math.ceil((decades(max) + decades(-min)) / 7)), splits = [0];
    for (let power = Math.min(first + 1, last); power <= last; power += stride) {
      const value = Number(`1e${power}`);
      splits.push(value, -value);
    }
    return splits.filter(value => value >= min && value <= max).sort((a, b) => a - b);
  }

  // Multiples of 1, 2 or 5 times a power of ten, about five.
  function linearSplits(min, max) {
    const rough = (max - min) / 5, power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find(factor => factor * power >= rough * 0.999);
    const splits = [];
    for (let place = Math.ceil(min / step); place * step <= max * (1 + 1e-12); place++) splits.push(Number((place * step).toPrecision(12)));
    return splits;
  }

  const splitsOf = ({ kind, threshold }, min, max) => kind === "log" ? logSplits(min, max)
    : kind === "symmetric" ? symmetricSplits(min, max, threshold) : linearSplits(min, max);

  // The place of a value between 0 (the least shown) and 1.
  function part({ kind, threshold }, value, min, max) {
    const into = kind === "log" ? Math.log10 : kind === "symmetric" ? v => Math.asinh(v / threshold) : v => v;
    return (into(value) - into(min)) / (into(max) - into(min));
  }

  return { format, tick, kindOf, rangeOf, splitsOf, part };
})();
