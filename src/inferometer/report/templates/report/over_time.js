// Over time: rates, completion, the queue and stages; and batch sizes.

// Time bins put together until few enough are in view: [first, one past the last] each.
function groups(plot, width, count) {
  const together = 2 ** Math.max(0, Math.ceil(Math.log2(plot.span / width / GROUPS_SHOWN)));
  const found = [];
  const from = Math.max(0, Math.floor(plot.view[0] / width / together) - 1) * together;
  for (let first = from; first < count && first * width <= plot.view[1] + together * width; first += together) {
    found.push([first, Math.min(first + together, count)]);
  }
  return { found, stretch: together * width };
}

const ofBins = (width, count) => ({ ...OVER_TIME, domain: () => [0, width * count], least: () => width * 8 });

function rates({ width, lines }) {
  const count = lines[0].counts.length;
  return {
    ...ofBins(width, count),
    render(plot) {
      const { found, stretch } = groups(plot, width, count);
      const counted = lines.map((line) => found.map(([from, to]) => sum(line.counts, from, to)));
      const rate = (line, place) => counted[line][place] / ((found[place][1] - found[place][0]) * width / 1e9);
      const all = counted.flatMap((_, line) => found.map((__, place) => rate(line, place)));
      const scale = upwards(0, all.reduce((a, b) => Math.max(a, b), 0), countText, false);
      plot.yAxis(scale, "samples/s");
      const middle = ([from, to]) => (from + to) / 2 * width;
      lines.forEach((line, number) => plot.line(found.map((group, place) => [plot.px(middle(group)), scale.px(rate(number, place))]), line.css));
      found.forEach((group, place) => {
        const [from, to] = [group[0] * width, group[1] * width];
        const values = { from, to, counts: lines.map((_, number) => counted[number][place]) };
        plot.mark(middle(group), values, () => `from ${exact(from)} to before ${exact(to)}: `
          + lines.map((line, number) => `${line.name} ${many(values.counts[number])} (${Number(rate(number, place).toPrecision(5)).toLocaleString("en")}/s)`).join(", "));
      });
      plot.legend(lines.map((line) => [line.name, line.css]));
      return `Shown: counts in stretches of ${exact(stretch)}; the finest are of ${exact(width)}.`;
    },
  };
}

function completion({ width, total, counts }) {
  const done = new Float64Array(counts.length + 1);
  counts.forEach((count, place) => { done[place + 1] = done[place] + count; });
  return {
    ...ofBins(width, counts.length),
    render(plot) {
      const { found, stretch } = groups(plot, width, counts.length);
      const scale = upwards(0, total, countText, false);
      plot.yAxis(scale, "samples");
      const ends = [...new Set([found[0][0], ...found.map(([, to]) => to)])];
      plot.line(ends.map((end) => [plot.px(end * width), scale.px(done[end])]), "median");
      for (const end of ends) {
        plot.mark(end * width, { before: end * width, count: done[end] },
          () => `before ${exact(end * width)}: ${many(done[end])} of ${many(total)} samples (${percent(done[end], total)})`);
      }
      plot.legend([["answered", "median"]]);
      return `Shown: a point every ${exact(stretch)}; the finest are ${exact(width)} apart.`;
    },
  };
}

function depth({ width, start, least, most }) {
  return {
    ...ofBins(width, start.length),
    render(plot) {
      const { found, stretch } = groups(plot, width, start.length);
      const low = found.map(([from, to]) => extreme(least, from, to, Math.min));
      const high = found.map(([from, to]) => extreme(most, from, to, Math.max));
      const scale = upwards(0, high.reduce((a, b) => Math.max(a, b), 1), countText, false);
      plot.yAxis(scale, "queries");
      const path = (values) => found.map(([from, to], place) => [plot.px((from + to) / 2 * width), scale.px(values[place])]);
      plot.band(path(low), path(high));
      plot.line(path(high), "median");
      found.forEach(([from, to], place) => {
        const values = { from: from * width, to: to * width, start: start[from], least: low[place], most: high[place] };
        plot.mark((from + to) / 2 * width, values, () => `from ${exact(values.from)} to before ${exact(values.to)}: least ${many(values.least)}, `
          + `most ${many(values.most)} outstanding; ${many(values.start)} at its start`);
      });
      plot.legend([["range", "band"], ["most", "median"]]);
      return `Shown: least and most in stretches of ${exact(stretch)}; the finest are of ${exact(width)}.`;
    },
  };
}

function sizes({ sizes: found, batches }) {
  const all = sum(batches, 0, batches.length);
  const high = found[found.length - 1] + 0.5;
  return {
    xName: "samples in a batch", domain: () => [0, high], least: () => Math.min(4, high),
    xTicks: (from, to, wanted) => evenTicks(from, to, wanted).ticks.filter(Number.isInteger).map((value) => [value, many(value)]),
    render(plot) {
      const scale = upwards(0, Math.max(...batches), countText, false);
      plot.yAxis(scale, "batches");
      found.forEach((size, place) => {
        plot.bar(plot.px(size - 0.4), plot.px(size + 0.4), scale.px(batches[place]));
        plot.mark(size, { size, batches: batches[place] }, () => `${many(size)} ${size === 1 ? "sample" : "samples"}: ${many(batches[place])} of ${many(all)} batches (${percent(batches[place], all)}), `
          + `${many(size * batches[place])} samples`);
      });
      return "Shown: every batch.";
    },
  };
}

function stages({ per, count, first, sums, end }) {
  const names = Object.keys(sums);
  const last = Math.max(end, 1);
  return {
    ...OVER_TIME, domain: () => [0, last], least: () => Math.max(10, last / first.length * 8),
    render(plot) {
      const inView = placeOf(first, plot.view[1]) - placeOf(first, plot.view[0]);
      const together = 2 ** Math.max(0, Math.ceil(Math.log2(inView / GROUPS_SHOWN)));
      const found = [];
      const start = Math.max(0, Math.floor(placeOf(first, plot.view[0]) / together) - 1) * together;
      for (let from = start; from < first.length && (found.length < 2 || found[found.length - 1].at <= plot.view[1]); from += together) {
        found.push(group(from, Math.min(from + together, first.length)));
      }
      const scale = upwards(0, found.reduce((most, one) => Math.max(most, one.whole), 0), tickText, false);
      plot.yAxis(scale, "mean time");
      let floor = found.map(() => 0);
      for (const name of names) {
        const top = found.map((one, place) => floor[place] + one.sums[name] / one.samples);
        const path = (values) => found.map((one, place) => [plot.px(one.middle), scale.px(values[place])]);
        plot.band(path(floor), path(top), `stage ${name}`);
        floor = top;
      }
      for (const one of found) {
        plot.mark(one.middle, { first: one.from, samples: one.samples, at: one.at, sums: one.sums }, () => `${many(one.samples)} samples, work on them began from ${exact(one.at)}: `
          + names.map((name) => `${name} ${exact(Math.round(one.sums[name] / one.samples))}`).join(", ") + ` on average`);
      }
      plot.legend(names.map((name) => [name, `key ${name}`]));
      return `Shown: means of ${many(together * per)} samples each; the finest are of ${many(per)}.`;
    },
  };

  function group(from, to) {
    const samples = Math.min(to * per, count) - from * per;
    const found = Object.fromEntries(names.map((name) => [name, sum(sums[name], from, to)]));
    const until = to < first.length ? first[to] : end;
    const whole = names.reduce((total, name) => total + found[name], 0) / samples;
    return { from: from * per, samples, at: first[from], middle: (first[from] + until) / 2, sums: found, whole };
  }
}
