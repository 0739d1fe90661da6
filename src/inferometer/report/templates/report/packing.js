// Packing: the numbers of a test, as packing.py packed them, and its rows.

async function inflated(text) {
  const deflated = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function unpacked({ n, low, bytes, start, data }) {
  const values = new Float64Array(n).fill(low);
  const planes = bytes ? await inflated(data) : [];
  for (let plane = 0, size = 1; plane < bytes; plane++, size *= 256) {
    for (let place = 0; place < n; place++) values[place] += planes[plane * n + place] * size;
  }
  if (start !== undefined) {
    let total = start;
    for (let place = 0; place < n; place++) {
      total += values[place];
      values[place] = total;
    }
  }
  return values;
}

async function allUnpacked(value) {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return Promise.all(value.map(allUnpacked));
  if ("bytes" in value && "data" in value) return unpacked(value);
  const names = Object.keys(value);
  const parts = await Promise.all(names.map((name) => allUnpacked(value[name])));
  return Object.fromEntries(names.map((name, place) => [name, parts[place]]));
}

const sources = new Map();
function sourceOf(id) {
  if (!sources.has(id)) {
    const source = JSON.parse(document.getElementById(id).textContent);
    source.rows = () => (source.found ||= rowsOf(source.raw));
    sources.set(id, source);
  }
  return sources.get(id);
}

// The rows of a test as columns by name; what counts from another column is added up.
async function rowsOf(raw) {
  if (!raw) return null;
  const columns = {};
  for (const column of raw.columns) {
    const values = await unpacked(column.values);
    if (!column.plus) {
      columns[column.name] = values;
      continue;
    }
    const base = columns[column.plus];
    columns[column.name] = values.map((value, place) => (value < 0 ? -1 : base[place] + value));
    columns[column.apart] = values;
  }
  return { noun: raw.noun, count: raw.count, columns };
}
