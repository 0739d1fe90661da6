// Drawing: axes, lines, bars and markers of a chart, in the view that it shows.

class Drawing {
  get span() { return this.view[1] - this.view[0]; }

  px(at) { return LEFT + (at - this.view[0]) / this.span * (this.width - LEFT - RIGHT); }

  xAxis() {
    const wanted = this.width < 420 ? 3 : 6;
    for (const [at, text] of this.kind.xTicks(this.view[0], this.view[1], wanted)) {
      const x = this.px(at), y = HEIGHT - BOTTOM;
      shape(this.grid, "line", { class: "grid", x1: x, y1: y, x2: x, y2: y + 4 });
      shape(this.grid, "text", { class: "tick", x, y: y + 18, "text-anchor": "middle" }, text);
    }
    const middle = (LEFT + this.width - RIGHT) / 2;
    shape(this.grid, "text", { class: "name", x: middle, y: HEIGHT - 6, "text-anchor": "middle" }, this.kind.xName);
  }

  yAxis(scale, name) {
    for (const [value, text] of scale.ticks) {
      const y = scale.px(value);
      shape(this.grid, "line", { class: "grid", x1: LEFT, y1: y, x2: this.width - RIGHT, y2: y });
      shape(this.grid, "text", { class: "tick", x: LEFT - 8, y: y + 4, "text-anchor": "end" }, text);
    }
    shape(this.grid, "text", { class: "name", x: 8, y: 14 }, name);
  }

  line(points, css) {
    const text = points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
    shape(this.inner, "polyline", { class: `line ${css}`, points: text });
  }

  band(low, high, css = "") {
    const text = [...high, ...low.slice().reverse()].map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
    shape(this.inner, "polygon", { class: `band ${css}`, points: text });
  }

  bar(left, right, y, css = "bar") {
    const height = Math.max(0, HEIGHT - BOTTOM - y);
    shape(this.inner, "rect", { class: css, x: left, y, width: Math.max(0.5, right - left - 0.6), height });
  }

  dots(points, css) {
    const path = points.map(([x, y]) => `M${x.toFixed(1)} ${y.toFixed(1)}h0`).join("");
    shape(this.inner, "path", { class: `point ${css}`, d: path });
  }

  legend(entries) {
    const widthOf = (name) => 6.2 * name.length + 28;
    const all = entries.reduce((width, [name]) => width + widthOf(name), 0);
    // Below the name of the axis where both don't fit beside each other.
    const y = all > this.width - RIGHT - 130 ? 28 : 12;
    let x = this.width - RIGHT;
    for (const [name, css] of entries.slice().reverse()) {
      x -= widthOf(name);
      shape(this.top, "line", { class: `line ${css}`, x1: x, y1: y, x2: x + 16, y2: y });
      shape(this.top, "text", { class: "tick", x: x + 20, y: y + 4 }, name);
    }
  }

  level(scale, marker) {
    const y = scale.px(marker.value);
    shape(this.top, "line", { class: `marker ${marker.css}`, x1: LEFT, y1: y, x2: this.width - RIGHT, y2: y });
    shape(this.top, "text", { class: `label ${marker.css}`, x: this.width - RIGHT, y: y - 4, "text-anchor": "end" }, marker.label);
  }

  upright(at, marker, row) {
    const x = this.px(at), y = 2 + 13 * (row % 3);
    if (x < LEFT - 0.5 || x > this.width - RIGHT + 0.5) return;
    const isRight = x > this.width - RIGHT - 100;
    shape(this.top, "line", { class: `marker ${marker.css}`, x1: x, y1: y, x2: x, y2: HEIGHT - BOTTOM });
    shape(this.top, "text", { class: `label ${marker.css}`, x: x + (isRight ? -4 : 4), y: y + 10, "text-anchor": isRight ? "end" : "start" }, marker.label);
  }
}
