// Timeline: latency over time, at the resolution that fits.

const timeTicks = (low, high, wanted) => {
  const { step, ticks } = evenTicks(low, high, wanted);
  return ticks.map((value) => [value, tickText(value, step, high)]);
};
const OVER_TIME = { xName: "time since the start", xTicks: timeTicks };

// Latency over time: windows at the resolution that fits, and the queries where few are in view.
function timeline(chart, rows) {
  const { levels, name, count, end, slow, bound } = chart;
  const points = rows ? pointsOf(rows) : null;
  const finest = levels[levels.length - 1];
  const last = Math.max(end, 1);
  const least = points ? Math.max(10, last / 1e6) : Math.max(10, last / finest.first.length * 8);

  function levelFor(plot) {
    const most = Math.max(150, plot.width / 3);
    const fitting = levels.slice().reverse().find((level) => {
      const inView = placeOf(level.first, plot.view[1]) - placeOf(level.first, plot.view[0]);
      return inView <= most;
    });
    return fitting || levels[0];
  }

  function drawPoints(plot, from, to) {
    const values = points.value.slice(from, to);
    const scale = scaleFor(plot, values.reduce((a, b) => Math.min(a, b), Infinity), values.reduce((a, b) => Math.max(a, b), 0));
    const places = [];
    for (let place = from; place < to; place++) {
      const [at, value, number] = [points.at[place], points.value[place], points.number[place]];
      places.push([plot.px(at), scale.px(value)]);
      plot.mark(at, { number, at, value }, () => `query ${many(number)}, due ${exact(at)}: ${name} ${exact(value)}`);
    }
    plot.dots(places, "");
    return `Shown: each query in view as recorded, ${many(to - from)} of ${many(count)}.`;
  }

  function scaleFor(plot, low, high) {
    const scale = upwards(Math.max(low, 1), Math.max(high, bound ? bound.value : 0, 1), tickText);
    plot.yAxis(scale, name);
    if (bound) plot.level(scale, bound);
    return scale;
  }

  function drawWindows(plot, level) {
    const { per, first } = level;
    const from = Math.max(0, placeOf(first, plot.view[0], true) - 1), to = Math.min(first.length, placeOf(first, plot.view[1]) + 1);
    const scale = scaleFor(plot, extreme(level.least, from, to, Math.min), extreme(level.most, from, to, Math.max));
    const middle = (place) => (first[place] + (place + 1 < first.length ? first[place + 1] : end)) / 2;
    const path = (values) => {
      const found = [];
      for (let place = Math.max(0, from - 1); place < Math.min(first.length, to + 1); place++) found.push([plot.px(middle(place)), scale.px(values[place])]);
      return found;
    };
    plot.band(path(level.least), path(level.most));
    plot.line(path(level.median), "median");
    plot.line(path(level.high), "high");
    for (let place = from; place < to; place++) {
      const [start, stop] = [place * per, Math.min((place + 1) * per, count)];
      const values = { first: start, last: stop - 1, at: first[place], least: level.least[place], median: level.median[place], high: level.high[place], most: level.most[place] };
      plot.mark(middle(place), values, () => `${many(stop - start)} queries due from ${exact(values.at)}: least ${exact(values.least)}, `
        + `median ${exact(values.median)}, p99 ${exact(values.high)}, most ${exact(values.most)}`);
    }
    const slowest = level === levels[0] ? 0 : drawSlow(plot, scale);
    plot.legend([["range", "band"], ["median", "median"], ["p99 of the window", "high"]]);
    const deeper = points ? `each query once ${many(POINTS_SHOWN)} or fewer are in view` : `the finest are of ${many(finest.per)}`;
    return `Shown: windows of ${many(per)} queries; ${deeper}.${slowest ? ` Points: ${many(slowest)} of the ${many(slow.at.length)} slowest queries.` : ""}`;
  }

  function drawSlow(plot, scale) {
    if (!slow) return 0;
    const from = placeOf(slow.at, plot.view[0]), to = placeOf(slow.at, plot.view[1], true);
    if (to - from > SLOW_SHOWN) return 0;
    const places = [];
    for (let place = from; place < to; place++) {
      const [at, value, number] = [slow.at[place], slow.value[place], slow.number[place]];
      places.push([plot.px(at), scale.px(value)]);
      plot.mark(at, { number, at, value }, () => `query ${many(number)}, due ${exact(at)}: ${name} ${exact(value)}, one of the slowest`);
    }
    plot.dots(places, "slow");
    plot.marks.sort((one, other) => one.at - other.at);
    return to - from;
  }

  return {
    ...OVER_TIME, domain: () => [0, last], least: () => least,
    render(plot) {
      if (points) {
        const from = placeOf(points.at, plot.view[0]), to = placeOf(points.at, plot.view[1], true);
        if (to > from && to - from <= POINTS_SHOWN) return drawPoints(plot, from, to);
      }
      return drawWindows(plot, levelFor(plot));
    },
  };
}

// The answered queries in order of when they were due.
function pointsOf(rows) {
  const { scheduled_ns: due, latency_ns: latency } = rows.columns;
  const order = [];
  for (let place = 0; place < rows.count; place++) if (latency[place] >= 0) order.push(place);
  order.sort((one, other) => due[one] - due[other] || one - other);
  const numbers = Float64Array.from(order);
  return { number: numbers, at: numbers.map((place) => due[place]), value: numbers.map((place) => latency[place]) };
}
