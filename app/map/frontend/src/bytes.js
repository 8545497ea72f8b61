// Receive binary tables from Python: they arrive through a component of their own, once, and are kept by key.
//
// A table is one line of JSON (the header: key, columns, anything else) and, gzipped, its columns one after another.

const TYPES = { i4: Int32Array, i2: Int16Array, u2: Uint16Array, u1: Uint8Array };
const KEPT = 8; // tables; the oldest go first

/** The page's tables and who waits for one; the transport component (`app/map/transport.py`) fills it. */
function bus() {
  globalThis.htpBytes ??= { raw: new Map(), waiting: new Map(), tables: new Map() };
  return globalThis.htpBytes;
}

/** Return a promise of the table with this key: `{header, columns: {name: typed array}}`. */
export function table(key) {
  const { tables } = bus();
  if (!tables.has(key)) {
    tables.set(key, arrived(key).then(decode));
    if (tables.size > KEPT) tables.delete(tables.keys().next().value);
  }
  return tables.get(key);
}

function arrived(key) {
  const { raw, waiting } = bus();
  if (raw.has(key)) return Promise.resolve(raw.get(key));
  return new Promise((resolve) => waiting.set(key, [...(waiting.get(key) ?? []), resolve]));
}

async function decode(bytes) {
  const end = bytes.indexOf(10);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end)));
  const unzipped = new Blob([bytes.subarray(end + 1)]).stream().pipeThrough(new DecompressionStream("gzip"));
  const buffer = await new Response(unzipped).arrayBuffer();
  const columns = {};
  let at = 0;
  for (const [name, type, length] of header.columns) {
    const size = length * TYPES[type].BYTES_PER_ELEMENT;
    columns[name] = new TYPES[type](buffer.slice(at, at + size));
    at += size;
  }
  return { header, columns };
}
