// Plot: a chart that zooms; what it draws is the business of its kind.

const HINT = "Exact values: point at a chart, or go to it and use the arrow keys. "
  + "Zoom: + and −, or the wheel once it is chosen.";

class Plot {
  constructor(figure, kind) {
    this.figure = figure;
    this.kind = kind;
    this.title = figure.querySelector("figcaption strong").textContent;
    this.view = [...kind.domain()];
    this.hereAt = null;
    this.marks = [];
    this.pointers = new Map();
    this.build();
    this.listen();
    new ResizeObserver(() => this.draw()).observe(this.stage);
    this.draw();
    this.hint();
  }

  build() {
    const picture = this.figure.querySelector("svg");
    const tools = make(this.figure, "div", { class: "tools", role: "group", "aria-label": `${this.title}: view` });
    this.kind.tools?.(this, tools);
    make(tools, "span", { class: "gap" });
    this.zoomOut = this.button(tools, "−", "zoom out", () => this.zoom(2));
    this.zoomIn = this.button(tools, "+", "zoom in", () => this.zoom(0.5));
    this.back = this.button(tools, "◀", "earlier or less", () => this.pan(-0.5));
    this.on = this.button(tools, "▶", "later or more", () => this.pan(0.5));
    this.all = this.button(tools, "Whole", "the whole", () => this.whole());
    this.stage = make(this.figure, "div", {
      class: "drawing", tabindex: "0", role: "application", "aria-roledescription": "zoomable chart",
      "aria-label": `${this.title}. ${picture.querySelector("desc").textContent}`,
    });
    this.svg = shape(this.stage, "svg", { class: "chart", role: "img", "aria-label": this.title });
    this.readout = make(this.figure, "output", { class: "readout" });
    this.resolution = make(this.figure, "p", { class: "resolution" });
    const keys = make(this.figure, "p", { class: "keys", id: `keys-${Plot.count = (Plot.count || 0) + 1}` },
      "Keys: left and right arrow read values, with shift they move the view, plus and minus zoom, 0 shows the whole.");
    this.stage.setAttribute("aria-describedby", keys.id);
    picture.remove();
    this.figure.classList.add("zoomable");
    this.figure.plot = this;
  }

  button(parent, text, name, act) {
    const button = make(parent, "button", { type: "button", "aria-label": `${this.title}: ${name}`, title: name }, text);
    button.addEventListener("click", act);
    return button;
  }

  // -- the view

  get span() { return this.view[1] - this.view[0]; }

  px(at) { return LEFT + (at - this.view[0]) / this.span * (this.width - LEFT - RIGHT); }

  at(event) {
    const box = this.stage.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width * this.width;
    return this.view[0] + (x - LEFT) / (this.width - LEFT - RIGHT) * this.span;
  }

  look(low, span) {
    const [first, last] = this.kind.domain();
    const width = Math.min(Math.max(span, this.kind.least()), last - first);
    const from = Math.min(Math.max(low, first), last - width);
    this.view = [from, from + width];
    this.draw();
  }

  zoom(factor, at = this.hereAt ?? (this.view[0] + this.view[1]) / 2) {
    const span = Math.max(this.span * factor, this.kind.least());
    const share = Math.min(Math.max((at - this.view[0]) / this.span, 0), 1);
    this.look(at - share * span, span);
  }

  pan(share) { this.look(this.view[0] + share * this.span, this.span); }

  whole() {
    const [first, last] = this.kind.domain();
    this.look(first, last - first);
  }

  // -- drawing

  draw() {
    this.width = Math.max(280, Math.round(this.stage.clientWidth) || 540);
    this.svg.replaceChildren();
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${HEIGHT}`);
    this.grid = shape(this.svg, "g");
    // A picture in the picture: what lies outside of the view isn't seen.
    const place = { x: LEFT, y: TOP - 2, width: this.width - LEFT - RIGHT, height: HEIGHT - BOTTOM - TOP + 4 };
    this.inner = shape(this.svg, "svg", { ...place, viewBox: Object.values(place).join(" ") });
    this.top = shape(this.svg, "g");
    this.marks = [];
    this.resolution.textContent = this.kind.render(this);
    this.xAxis();
    this.cursor = shape(this.svg, "g");
    const [first, last] = this.kind.domain();
    const isWhole = this.span >= (last - first) * 0.9999;
    this.stage.classList.toggle("zoomed", !isWhole);
    this.disable([[this.zoomOut, isWhole], [this.all, isWhole], [this.zoomIn, this.span <= this.kind.least() * 1.0001],
      [this.back, this.view[0] <= first], [this.on, this.view[1] >= last * 0.999999]]);
    if (this.hereAt !== null) this.read(this.nearest(this.hereAt), false);
  }

  // A button that has the focus keeps it, so it is only marked as of no use.
  disable(states) {
    for (const [button, isOff] of states) button.setAttribute("aria-disabled", isOff);
  }

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

  // -- reading

  mark(at, values, tell) {
    if (at >= this.view[0] - 1e-9 && at <= this.view[1] + 1e-9) this.marks.push({ at, values, tell });
  }

  nearest(at) {
    const places = this.marks.map((mark) => mark.at);
    const next = placeOf(places, at);
    if (next === 0 || (next < places.length && places[next] - at < at - places[next - 1])) return next;
    return next - 1;
  }

  read(place, isTold) {
    const mark = this.marks[place];
    this.cursor.replaceChildren();
    if (!mark) {
      this.hint();
      return;
    }
    const x = this.px(mark.at);
    shape(this.cursor, "line", { class: "cursor", x1: x, y1: TOP - 6, x2: x, y2: HEIGHT - BOTTOM });
    this.hereAt = mark.at;
    this.here = mark;
    this.readout.setAttribute("aria-live", isTold ? "polite" : "off");
    this.readout.classList.remove("hint");
    this.readout.textContent = mark.tell();
  }

  step(way) {
    const next = () => {
      if (this.hereAt === null) return way > 0 ? 0 : this.marks.length - 1;
      const now = this.marks.indexOf(this.here);
      if (now >= 0) return now + way;
      const places = this.marks.map((mark) => mark.at);
      return way > 0 ? placeOf(places, this.hereAt, true) : placeOf(places, this.hereAt) - 1;
    };
    let place = next();
    const [first, last] = this.kind.domain();
    for (let tries = 0; !this.marks[place] && tries < 8; tries++) {
      if (way > 0 ? this.view[1] >= last : this.view[0] <= first) return;
      const from = this.hereAt;
      this.pan(way * 0.25);
      this.hereAt = from;
      this.here = null;
      place = next();
    }
    if (this.marks[place]) this.read(place, true);
  }

  forget() {
    this.hereAt = this.here = null;
    this.cursor.replaceChildren();
    this.hint();
  }

  hint() {
    this.readout.setAttribute("aria-live", "off");
    this.readout.classList.add("hint");
    // Once in a test is enough.
    const isFirst = this.figure === this.figure.parentElement.querySelector("figure");
    this.readout.textContent = isFirst ? HINT : "";
  }

  // -- events

  listen() {
    const stage = this.stage;
    stage.addEventListener("keydown", (event) => this.key(event));
    stage.addEventListener("dblclick", (event) => this.zoom(0.25, this.at(event)));
    stage.addEventListener("wheel", (event) => {
      // The page scrolls over a chart unless it was chosen.
      if (document.activeElement !== stage && !event.ctrlKey) return;
      event.preventDefault();
      if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.pan(event.deltaX / 600);
      else this.zoom(Math.exp(Math.max(-300, Math.min(300, event.deltaY)) * 0.002), this.at(event));
    }, { passive: false });
    stage.addEventListener("pointerdown", (event) => {
      stage.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, this.at(event));
      this.pressedX = event.clientX;
    });
    stage.addEventListener("pointercancel", (event) => this.pointers.delete(event.pointerId));
    stage.addEventListener("pointerup", (event) => {
      this.pointers.delete(event.pointerId);
      // A tap reads, as pointing does.
      if (Math.abs(event.clientX - this.pressedX) < 4) this.read(this.nearest(this.at(event)), false);
    });
    stage.addEventListener("pointermove", (event) => this.move(event));
    stage.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "mouse" && document.activeElement !== stage) this.forget();
    });
  }

  // One finger or the mouse drags the view, two fingers stretch it.
  move(event) {
    const held = this.pointers.get(event.pointerId);
    if (held === undefined) {
      this.read(this.nearest(this.at(event)), false);
    } else if (this.pointers.size === 1) {
      this.look(this.view[0] + held - this.at(event), this.span);
    } else {
      const other = [...this.pointers].find(([id]) => id !== event.pointerId)[1];
      const now = this.at(event);
      const factor = Math.abs(held - other) / Math.max(Math.abs(now - other), this.span * 1e-3);
      if (Number.isFinite(factor) && factor > 0) this.zoom(factor, other);
      this.pointers.set(event.pointerId, this.at(event));
    }
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const acts = {
      "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2), "_": () => this.zoom(2),
      0: () => this.whole(), Escape: () => this.forget(),
      ArrowLeft: () => (event.shiftKey ? this.pan(-0.25) : this.step(-1)),
      ArrowRight: () => (event.shiftKey ? this.pan(0.25) : this.step(1)),
      Home: () => this.look(this.kind.domain()[0], this.span),
      End: () => this.look(this.kind.domain()[1], this.span),
    };
    if (!(event.key in acts)) return;
    event.preventDefault();
    acts[event.key]();
  }
}
