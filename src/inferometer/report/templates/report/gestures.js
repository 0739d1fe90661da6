// Gestures: mouse, fingers and keys move the view of a chart and read it.

class Gestures {
  constructor(plot) {
    const stage = plot.stage;
    this.plot = plot;
    this.pointers = new Map();
    stage.addEventListener("keydown", (event) => this.key(event));
    stage.addEventListener("dblclick", (event) => plot.zoom(0.25, plot.at(event)));
    stage.addEventListener("wheel", (event) => {
      // The page scrolls over a chart unless it was chosen.
      if (document.activeElement !== stage && !event.ctrlKey) return;
      event.preventDefault();
      if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) plot.pan(event.deltaX / 600);
      else plot.zoom(Math.exp(Math.max(-300, Math.min(300, event.deltaY)) * 0.002), plot.at(event));
    }, { passive: false });
    stage.addEventListener("pointerdown", (event) => {
      stage.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, plot.at(event));
      this.pressedX = event.clientX;
    });
    stage.addEventListener("pointercancel", (event) => this.pointers.delete(event.pointerId));
    stage.addEventListener("pointerup", (event) => {
      this.pointers.delete(event.pointerId);
      // A tap reads, as pointing does.
      if (Math.abs(event.clientX - this.pressedX) < 4) plot.read(plot.nearest(plot.at(event)), false);
    });
    stage.addEventListener("pointermove", (event) => this.move(event));
    stage.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "mouse" && document.activeElement !== stage) plot.forget();
    });
  }

  // One finger or the mouse drags the view, two fingers stretch it.
  move(event) {
    const plot = this.plot;
    const held = this.pointers.get(event.pointerId);
    if (held === undefined) {
      plot.read(plot.nearest(plot.at(event)), false);
    } else if (this.pointers.size === 1) {
      plot.look(plot.view[0] + held - plot.at(event), plot.span);
    } else {
      const other = [...this.pointers].find(([id]) => id !== event.pointerId)[1];
      const now = plot.at(event);
      const factor = Math.abs(held - other) / Math.max(Math.abs(now - other), plot.span * 1e-3);
      if (Number.isFinite(factor) && factor > 0) plot.zoom(factor, other);
      this.pointers.set(event.pointerId, plot.at(event));
    }
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const plot = this.plot;
    const acts = {
      "+": () => plot.zoom(0.5), "=": () => plot.zoom(0.5), "-": () => plot.zoom(2), "_": () => plot.zoom(2),
      0: () => plot.whole(), Escape: () => plot.forget(),
      ArrowLeft: () => (event.shiftKey ? plot.pan(-0.25) : plot.step(-1)),
      ArrowRight: () => (event.shiftKey ? plot.pan(0.25) : plot.step(1)),
      Home: () => plot.look(plot.kind.domain()[0], plot.span),
      End: () => plot.look(plot.kind.domain()[1], plot.span),
    };
    if (!(event.key in acts)) return;
    event.preventDefault();
    acts[event.key]();
  }
}
