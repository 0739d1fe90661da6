"use strict";
// Everything stands in the page already, as text and pictures. This makes charts zoom and
// tell exact values, and filters, sorting and downloads work. Text only enters as text.
document.documentElement.classList.add("js");

const HEIGHT = 260, LEFT = 66, RIGHT = 22, TOP = 44, BOTTOM = 40;
const POINTS_SHOWN = 1500, SLOW_SHOWN = 400, GROUPS_SHOWN = 100, BINS = 72, RUNGS_SHOWN = 900;
