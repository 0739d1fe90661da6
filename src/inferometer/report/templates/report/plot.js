// Plot: a chart that zooms; what it draws is the business of its kind.

const HINT = "Exact values: point at a chart, or go to it and use the arrow keys. "
  + "Zoom: + and −, or the wheel once it is chosen.";

class Plot extends Drawing {
  constructor(figure, kind) {
    super();
    this.figure = figure;
    this.kind = kind;
    this.title = figure.querySelector("figcaption strong").textContent;
    this.view = [...kind.domain()];
    this.hereAt = null;
    this.marks = [];
    this.build();
    this.gestures = new Gestures(this);
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
}
