// How curves look: the number of a colour and that of a dash are those of the figures (crates/figures/src/palette.rs).
"use strict";

// The figures' colours, which differ in grey too, and lighter ones of the same order for dark paper.
const COLOURS = {
  light: ["#e07000", "#0072b2", "#882255", "#1a1a1a", "#1b9e5a", "#c05fa0", "#3a94c9"],
  dark: ["#ff9a4a", "#4aa8ec", "#ee86b4", "#eceff2", "#4fd190", "#cfa0f0", "#a5dcfb"],
};
// The figures' dashes at the scale of the page: lengths of line and gap in pixels.
const DASHES = [[], [12, 3], [6, 3], [2, 3], [9, 3, 2, 3], [10, 3, 2, 3, 2, 3]];
const PAPER = { light: { ink: "#4c545d", grid: "#e6e9ed", zero: "#8a929b" }, dark: { ink: "#a4adb8", grid: "#2a3038", zero: "#6a737e" } };

// Colour and dash of a group in the theme "light" or "dark".
function lookOf(group, theme) {
  const colours = COLOURS[theme];
  return { stroke: colours[group.colour % colours.length], dash: DASHES[group.dash % DASHES.length] };
}
