// Scales: ticks at round numbers, and from values to pixels.

function roundStep(rough) {
  const size = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 2.5, 5, 10].map((factor) => factor * size).find((step) => step >= rough * 0.999);
}

function evenTicks(low, high, wanted) {
  const step = roundStep((high - low) / wanted);
  const ticks = [];
  for (let count = Math.ceil(low / step - 1e-9) || 0; count * step <= high * (1 + 1e-12); count++) ticks.push(count * step);
  return { step, ticks };
}

// Ticks of a logarithmic scale whose ends are powers of ten; even ones where it is short.
function powerTicks(low, high, wanted) {
  if (high - low < 0.5) {
    const { step, ticks } = evenTicks(10 ** low, 10 ** high, 4);
    return ticks.map((value) => [Math.log10(value), tickText(value, step, 10 ** high)]);
  }
  const factors = (high - low) * 3 <= wanted + 3 ? [1, 2, 5] : [1];
  const found = [];
  const stride = Math.ceil((high - low) / wanted);
  for (let power = Math.floor(low); power <= high; power++) {
    if (stride > 1 && power % stride) continue;
    for (const factor of factors) {
      const at = power + Math.log10(factor);
      if (at >= low - 1e-9 && at <= high + 1e-9) found.push([at, factor * 10 ** power]);
    }
  }
  return found.map(([at, value]) => [at, short(value)]);
}

const WIDE_RANGE = 8;

// From values to pixels upwards: from 0, or by powers where values spread widely.
function upwards(low, high, text, isLog = low > 0 && high / low > WIDE_RANGE) {
  const bottom = HEIGHT - BOTTOM, size = bottom - TOP;
  if (!isLog) {
    const top = high > 0 ? high : 1;
    const { step } = evenTicks(0, top, 4);
    const end = Math.ceil(top / step - 1e-9) * step;
    const { ticks } = evenTicks(0, end, 4);
    const px = (value) => bottom - size * Math.min(Math.max(value / end, 0), 1);
    return { px, ticks: ticks.map((value) => [value, text(value, step, end)]) };
  }
  const from = Math.log10(Math.max(low, 1e-12)) - 0.02, to = Math.log10(high) + 0.02;
  const px = (value) => bottom - size * Math.min(Math.max((Math.log10(Math.max(value, 1e-12)) - from) / (to - from), 0), 1);
  const ticks = to - from > 0 ? logTicks(from, to, text) : [];
  return { px, ticks };
}

function logTicks(from, to, text) {
  const factors = to - from <= 2 ? [1, 2, 5] : [1];
  const ticks = [];
  const stride = Math.ceil((to - from) / 6);
  for (let power = Math.floor(from); power <= to; power++) {
    if (stride > 1 && power % stride) continue;
    for (const factor of factors) {
      const at = power + Math.log10(factor), value = factor * 10 ** power;
      if (at >= from && at <= to) ticks.push([value, text(value, value, value)]);
    }
  }
  return ticks;
}

const countText = (value) => (Number.isInteger(value) ? many(value) : "");
const shareText = (value) => `${Number((100 * value).toPrecision(3))} %`;
