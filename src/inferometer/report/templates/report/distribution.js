// Distribution: counts at or below values.

// How many values are at or below: as a histogram, cumulated, or what lies above.
function distribution(chart) {
  const { ladders, markers, interval, name, noun } = chart;
  const high = Math.max(...ladders.map((ladder) => ladder.rungs[ladder.rungs.length - 1]), ...markers.map((marker) => marker.value), 2);
  const low = Math.max(1, Math.min(...ladders.map((ladder) => ladder.rungs[0])));
  let view = chart.views[0];
  let isLog = high / low > WIDE_RANGE;
  const place = (value) => (isLog ? Math.log10(Math.max(value, 1)) : value);
  const valueAt = (at) => (isLog ? 10 ** at : at);
  const domain = () => (isLog ? [Math.log10(low) - 0.02, Math.log10(high) + 0.02] : [0, high * 1.02]);

  const rungAt = (ladder, value) => placeOf(ladder.rungs, value, true) - 1;
  const belowAt = (ladder, rung) => (rung < 0 ? 0 : ladder.below[rung]);

  // Edges at whole ns; of a long run they snap to values at which the count is known.
  function edges(plot, ladder) {
    const found = [];
    for (let step = 0; step <= BINS; step++) {
      const at = plot.view[0] + plot.span * step / BINS;
      const value = Math.floor(valueAt(at));
      const rung = rungAt(ladder, value);
      const isStart = at <= domain()[0];
      const edge = ladder.complete || rung < 0 || isStart ? value : ladder.rungs[rung];
      const below = isStart ? 0 : belowAt(ladder, rung);
      if (!found.length || edge > found[found.length - 1].edge) found.push({ edge, below, isStart });
    }
    return found;
  }

  function histogram(plot, ladder) {
    const found = edges(plot, ladder);
    let most = 1;
    for (let next = 1; next < found.length; next++) most = Math.max(most, found[next].below - found[next - 1].below);
    const scale = upwards(0, most, countText, false);
    plot.yAxis(scale, noun);
    for (let next = 1; next < found.length; next++) {
      const [from, to] = [found[next - 1], found[next]];
      const count = to.below - from.below;
      const [left, right] = [place(from.edge), place(to.edge)];
      if (count) plot.bar(plot.px(left), plot.px(right), scale.px(count));
      const range = from.isStart ? `up to ${exact(to.edge)}` : `over ${exact(from.edge)}, up to ${exact(to.edge)}`;
      plot.mark((left + right) / 2, { over: from.isStart ? null : from.edge, upTo: to.edge, count },
        () => `${range}: ${many(count)} of ${many(ladder.count)} ${noun} (${percent(count, ladder.count)})`);
    }
    return "Shown: counts of all that was recorded; zooming in makes the bars finer.";
  }

  function curves(plot, isTail) {
    const fewest = 1 / Math.max(...ladders.map((ladder) => ladder.count));
    const scale = isTail ? upwards(fewest, 1, shareText, true) : upwards(0, 1, shareText, false);
    plot.yAxis(scale, `${noun} ${isTail ? "above" : "at or below"}`);
    for (const ladder of ladders) curve(plot, ladder, scale, isTail);
    plot.marks.sort((one, other) => one.at - other.at);
    return isTail ? "Shown: which share took longer, on a scale of powers of ten." : "Shown: which share took at most so long.";
  }

  function curve(plot, ladder, scale, isTail) {
    const from = Math.max(0, rungAt(ladder, valueAt(plot.view[0]))), to = Math.min(ladder.rungs.length, rungAt(ladder, valueAt(plot.view[1])) + 2);
    const stride = Math.ceil((to - from) / (RUNGS_SHOWN / ladders.length));
    const path = from ? [] : [[plot.px(place(ladder.rungs[0])), scale.px(isTail ? 1 : 0)]];
    for (let rung = from; rung < to; rung = rung + stride < to || rung === to - 1 ? rung + stride : to - 1) {
      const [value, below] = [ladder.rungs[rung], ladder.below[rung]];
      const above = ladder.count - below;
      if (isTail && !above) break;
      path.push([plot.px(place(value)), scale.px((isTail ? above : below) / ladder.count)]);
      plot.mark(place(value), { name: ladder.name, value, below, above }, () => `${ladder.name} at most ${exact(value)}: ${many(below)} of ${many(ladder.count)} ${noun} `
        + `(${percent(below, ladder.count)}); longer: ${many(above)} (${percent(above, ladder.count)})`);
    }
    plot.line(path, ladder.css ? `key ${ladder.css}` : "median");
  }

  function tools(plot, parent) {
    const words = { histogram: "Histogram", cdf: "Cumulated", tail: "Tail" };
    const names = { histogram: "histogram", cdf: "cumulated share", tail: "tail: share that took longer" };
    const buttons = chart.views.map((one) => {
      const button = plot.button(parent, words[one], names[one], () => {
        view = one;
        buttons.forEach((other, number) => other.setAttribute("aria-pressed", chart.views[number] === view));
        plot.forget();
        plot.draw();
      });
      button.setAttribute("aria-pressed", one === view);
      return button;
    });
    const scaling = plot.button(parent, "Log", "logarithmic scale", () => {
      isLog = !isLog;
      scaling.setAttribute("aria-pressed", isLog);
      plot.forget();
      plot.whole();
    });
    scaling.setAttribute("aria-pressed", isLog);
  }

  return {
    xName: name, domain, tools,
    least: () => (isLog ? 1e-4 : Math.max(8, high / 1e5)),
    xTicks: (from, to, wanted) => (isLog ? powerTicks(from, to, wanted) : timeTicks(from, to, wanted)),
    render(plot) {
      if (interval && interval[0] !== null) {
        const [left, right] = [plot.px(place(interval[0])), plot.px(interval[1] === null ? domain()[1] : place(interval[1]))];
        shape(plot.inner, "rect", { class: "interval", x: left, y: TOP, width: Math.max(1, right - left), height: HEIGHT - BOTTOM - TOP });
      }
      const shown = view === "histogram" ? histogram(plot, ladders[0]) : curves(plot, view === "tail");
      markers.slice().sort((one, other) => one.value - other.value).forEach((marker, row) => plot.upright(place(marker.value), marker, row));
      if (ladders.length > 1) plot.legend(ladders.map((ladder) => [ladder.name, `key ${ladder.css}`]));
      return shown;
    },
  };
}
