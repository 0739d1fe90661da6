// Numbers: written exactly or short, searched and added up.

const UNITS = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]];
const unitOf = (ns) => UNITS.find(([size]) => Math.abs(ns) >= 0.9995 * size) || UNITS[3];
const many = (count) => count.toLocaleString("en");
const percent = (part, whole) => `${Number((100 * part / whole).toPrecision(4))} %`;

// Whole ns in the unit that fits, with every digit.
function exact(ns) {
  const [size, unit] = unitOf(ns);
  const whole = Math.floor(Math.abs(ns) / size);
  const rest = Math.abs(ns) - whole * size;
  const digits = rest ? "." + String(rest).padStart(String(size).length - 1, "0").replace(/0+$/, "") : "";
  return `${ns < 0 ? "-" : ""}${many(whole)}${digits} ${unit}`;
}

const short = (ns) => {
  const [size, unit] = unitOf(ns);
  return ns ? `${Number((ns / size).toPrecision(6))} ${unit}` : "0";
};

// A tick with as many digits as the step from tick to tick needs, all in one unit.
function tickText(ns, step, high) {
  const [size, unit] = unitOf(high);
  let digits = 0;
  while (digits < 9 && Math.abs((step / size) * 10 ** digits - Math.round((step / size) * 10 ** digits)) > 1e-6) digits++;
  return ns ? `${(ns / size).toFixed(digits)} ${unit}` : "0";
}

// The first place in rising numbers whose number is at least, or above, a value.
function placeOf(numbers, value, above = false) {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] < value || (above && numbers[middle] === value)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function sum(numbers, from, to) {
  let total = 0;
  for (let place = from; place < to; place++) total += numbers[place];
  return total;
}

function extreme(numbers, from, to, pick) {
  let found = numbers[from];
  for (let place = from + 1; place < to; place++) found = pick(found, numbers[place]);
  return found;
}
