// How curves look: the number of a colour and that of a dash are those of the figures (crates/figures/src/palette.rs).
"use strict";

// Okabe and Ito's colours without the yellow, and lighter ones of the same order for dark paper.
const COLOURS = {
  light: ["#0072b2", "#d55e00", "#009e73", "#1a1a1a", "#cc79a7", "#e69f00", "#56b4e9"],
  dark: ["#5fb4ee", "#ff9552", "#3fd0a4", "#eceff2", "#eba3cd", "#f3ba45", "#a5dcfb"],
};
// The dashes of the figures at the scale of the page: lengths of line and gap in pixels.
const DASHES = [[], [9, 4], [9, 3, 2, 3], [2, 3], [14, 3, 6, 3]];
const PAPER = { light: { ink: "#4c545d", grid: "#e6e9ed", zero: "#8a929b" }, dark: { ink: "#a4adb8", grid: "#2a3038", zero: "#6a737e" } };

// Colour and dash of a group in the theme "light" or "dark".
function lookOf(group, theme) {
  const colours = COLOURS[theme];
  return { stroke: colours[group.colour % colours.length], dash: DASHES[group.dash % DASHES.length] };
}
