// The data of a page: numbers as JSON, and columns as tools/trace/columns.h describes them.

export interface Track {
  name: string;
  outside: number;
  running: number;
  searching: number;
  parked: number;
  overhead: number;
  steals: number;
  searches: number;
  vain: number;
}

export interface Site {
  name: number;
  count: number;
  ran: number;
  p50: number;
  p99: number;
  waited: number;
  blamed: number;
  path: number;
  stolen: number;
  buckets: number[];
}

export interface Forecast {
  took: number;
  recorded: number;
  work: number;
  path: number;
  points: [cores: number, low: number, median: number, high: number][];
  whatIfs: [name: number, now: number, halved: number, split: number,
    now64: number, halved64: number, split64: number][];
}

export interface Numbers {
  program: string;
  pid: number;
  level: number;
  workers: number;
  end: number;
  ended: number;
  damaged: number;
  full: number;
  events: number;
  busy: number;
  active: number;
  work: number;
  span: number;
  burdened: number;
  path: number;
  burden: number;
  wake: number;
  starved: number;
  waiting: number;
  searching: number;
  waking: number;
  steals: number;
  tracks: Track[];
  names: Record<string, [name: string, file: string, line: number]>;
  sites: Site[];
  waits: { what: number; name: number; count: number; ns: number }[];
  loops: [name: number, began: number, ended: number, elements: number, pieces: number][];
  samples: [ns: number, value: number, name: number, mark: number][];
  gaps: [track: number, from: number, to: number][];
  hints: string[];
  forecast?: Forecast;
  slices: number;
  tasks: number;
  flows: number;
  chain: number;
  dropped: number;
}

export const NONE = 0xffffffff;
export enum Kind { Task, Chunk, Span, Search, Parked, Blocked, Gap }
export enum Lane { Tasks, State, Spans, Waits }

// What lies side by side in one row of a track: slices [begin, end), one after the other.
export interface Row {
  track: number;
  lane: Lane;
  depth: number;
  begin: number;
  end: number;
}

export interface Data {
  numbers: Numbers;
  slice: {
    from: Float64Array;
    to: Float64Array;
    a: Float64Array;
    b: Float64Array;
    what: Uint32Array;
    track: Uint16Array;
    lane: Uint8Array;
    depth: Uint8Array;
    kind: Uint8Array;
    covered: Float64Array; // of its row, before it: how much of the time slices cover
  };
  task: {
    made: Float64Array;
    began: Float64Array;
    ended: Float64Array;
    ran: Float64Array;
    waited: Float64Array;
    parent: Uint32Array;
    name: Uint32Array;
    track: Uint16Array;
    from: Uint16Array;
    how: Uint8Array;
    path: Uint8Array;
  };
  flow: {
    from: Float64Array;
    to: Float64Array;
    task: Uint32Array;
    fromTrack: Uint16Array;
    toTrack: Uint16Array;
    kind: Uint8Array;
    byFrom: Uint32Array; // their numbers, sorted
  };
  chain: { from: Float64Array; ns: Float64Array; task: Uint32Array };
  rows: Row[];
}

async function inflate(text: string): Promise<ArrayBuffer> {
  const binary = atob(text.trim());
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

// Takes columns off the front, copied so that they are aligned.
class Columns {
  private at = 0;
  constructor(private readonly buffer: ArrayBuffer) {}
  private take(bytes: number): ArrayBuffer {
    this.at += bytes;
    return this.buffer.slice(this.at - bytes, this.at);
  }
  f64 = (n: number) => new Float64Array(this.take(n * 8));
  u32 = (n: number) => new Uint32Array(this.take(n * 4));
  u16 = (n: number) => new Uint16Array(this.take(n * 2));
  u8 = (n: number) => new Uint8Array(this.take(n));
}

function findRows(slice: Data["slice"], count: number): Row[] {
  const rows: Row[] = [];
  let row: Row | undefined;
  for (let i = 0; i < count; i++) {
    const same = row && row.track === slice.track[i] && row.lane === slice.lane[i]
      && row.depth === slice.depth[i];
    if (!row || !same) {
      row = { track: slice.track[i], lane: slice.lane[i], depth: slice.depth[i], begin: i, end: i };
      rows.push(row);
    }
    slice.covered[i] = i === row.begin
      ? 0 : slice.covered[i - 1] + slice.to[i - 1] - slice.from[i - 1];
    row.end = i + 1;
  }
  return rows;
}

function readFlows(columns: Columns, n: number): Data["flow"] {
  const from = columns.f64(n);
  const byFrom = Uint32Array.from({ length: n }, (_, i) => i).sort((a, b) => from[a] - from[b]);
  return {
    from, to: columns.f64(n), task: columns.u32(n), fromTrack: columns.u16(n),
    toTrack: columns.u16(n), kind: columns.u8(n), byFrom,
  };
}

export async function load(): Promise<Data> {
  const text = (id: string) => document.getElementById(id)?.textContent ?? "";
  const numbers = JSON.parse(text("numbers")) as Numbers;
  const c = new Columns(await inflate(text("columns")));
  const n = numbers.slices;
  const m = numbers.tasks;
  const slice = {
    from: c.f64(n), to: c.f64(n), a: c.f64(n), b: c.f64(n), what: c.u32(n), track: c.u16(n),
    lane: c.u8(n), depth: c.u8(n), kind: c.u8(n), covered: new Float64Array(n),
  };
  const task = {
    made: c.f64(m), began: c.f64(m), ended: c.f64(m), ran: c.f64(m), waited: c.f64(m),
    parent: c.u32(m), name: c.u32(m), track: c.u16(m), from: c.u16(m), how: c.u8(m), path: c.u8(m),
  };
  const flow = readFlows(c, numbers.flows);
  const chain = {
    from: c.f64(numbers.chain), ns: c.f64(numbers.chain), task: c.u32(numbers.chain),
  };
  return { numbers, slice, task, flow, chain, rows: findRows(slice, n) };
}

export const nameOf = (data: Data, name: number): string =>
  data.numbers.names[name]?.[0] ?? "(unknown)";

export function siteOf(data: Data, name: number): string {
  const entry = data.numbers.names[name];
  if (!entry || !entry[1]) return nameOf(data, name);
  return `${entry[0]} (${entry[1].split("/").pop()}:${entry[2]})`;
}

export function sliceName(data: Data, i: number): string {
  const { kind, what, a } = data.slice;
  switch (kind[i]) {
    case Kind.Task: return what[i] === NONE ? "(unknown)" : nameOf(data, data.task.name[what[i]]);
    case Kind.Search: return a[i] ? "searching" : "searching in vain";
    case Kind.Parked: return "parked";
    case Kind.Gap: return "events were dropped";
    default: return nameOf(data, what[i]);
  }
}

// The first of [begin, end) whose value is at least `wanted`.
export function lowerBound(values: Float64Array, begin: number, end: number, wanted: number) {
  while (begin < end) {
    const middle = (begin + end) >>> 1;
    if (values[middle] < wanted) begin = middle + 1;
    else end = middle;
  }
  return begin;
}

export function formatNs(ns: number): string {
  const units: [number, string][] = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"]];
  for (const [size, unit] of units) {
    if (Math.abs(ns) >= size) return `${Number((ns / size).toPrecision(3))} ${unit}`;
  }
  return `${Math.round(ns)} ns`;
}
