// What is below the timeline: the summary, a task, tables and curves.
import { useMemo, useState } from "preact/hooks";
import { Chart } from "./charts";
import { colorOf, css } from "./colors";
import { Data, formatNs, Kind, Lane, nameOf, NONE, Site, siteOf, sliceName } from "./data";

const percent = (part: number, whole: number) =>
  `${whole > 0 ? ((100 * part) / whole).toFixed(1) : "0.0"} %`;

function Rows(props: { rows: [string, string, string?][]; id: string }) {
  return (
    <table id={props.id} class="facts">
      <tbody>
        {props.rows.map(([name, value, note]) => (
          <tr key={name}><th scope="row">{name}</th><td>{value}</td><td class="note">{note}</td></tr>
        ))}
      </tbody>
    </table>
  );
}

export function Summary({ data }: { data: Data }) {
  const n = data.numbers;
  const whole = n.active * n.workers;
  return (
    <div class="columns">
      <section>
        <h2>In plain words</h2>
        <ul id="hints">{n.hints.map((hint) => <li key={hint}>{hint}</li>)}</ul>
      </section>
      <section>
        <h2>Lengths</h2>
        <Rows id="lengths" rows={[
          ["work", formatNs(n.work), "what all cores did together"],
          ["span", formatNs(n.span), "the longest chain of it"],
          ["parallelism", (n.work / Math.max(n.span, 1)).toFixed(1), "work / span"],
          ["burdened span", formatNs(n.burdened), `with ${formatNs(n.burden)} for each piece that moves`],
          ["burdened", (n.work / Math.max(n.burdened, 1)).toFixed(1), "work / burdened span"],
        ]} />
        <h2>Core time while anything ran</h2>
        <Rows id="idle" rows={[
          ["working", formatNs(n.busy), percent(n.busy, whole)],
          ["nothing to take", formatNs(n.starved), percent(n.starved, whole)],
          ["all waited", formatNs(n.waiting), percent(n.waiting, whole)],
          ["searching", formatNs(n.searching), percent(n.searching, whole)],
          ["waking", formatNs(n.waking), percent(n.waking, whole)],
        ]} />
      </section>
      <section>
        <h2>Cores</h2>
        <table id="cores">
          <thead><tr><th>core</th><th>running</th><th>searching</th><th>parked</th><th>steals</th>
            <th>searches (in vain)</th></tr></thead>
          <tbody>
            {n.tracks.filter((t) => !t.outside).map((t) => {
              const all = t.running + t.searching + t.parked + t.overhead;
              return (
                <tr key={t.name}><th scope="row">{t.name}</th><td>{percent(t.running, all)}</td>
                  <td>{percent(t.searching, all)}</td><td>{percent(t.parked, all)}</td>
                  <td>{t.steals}</td><td>{t.searches} ({t.vain})</td></tr>
              );
            })}
          </tbody>
        </table>
        <h2>Waits</h2>
        <table id="waits">
          <thead><tr><th>for</th><th>times</th><th>total</th><th>whose tasks</th></tr></thead>
          <tbody>
            {n.waits.slice(0, 20).map((w) => (
              <tr key={`${w.what}/${w.name}`}><th scope="row">{nameOf(data, w.what)}</th>
                <td>{w.count}</td><td>{formatNs(w.ns)}</td>
                <td>{w.name ? siteOf(data, w.name) : "the program's own threads"}</td></tr>
            ))}
          </tbody>
        </table>
      </section>
    </div>
  );
}

const columns: [keyof Site, string, (site: Site, data: Data) => string][] = [
  ["name", "function", (s, d) => siteOf(d, s.name)],
  ["count", "count", (s) => s.count.toLocaleString("en")],
  ["ran", "ran", (s) => formatNs(s.ran)],
  ["path", "of the longest chain", (s, d) => percent(s.path, d.numbers.path)],
  ["p50", "p50", (s) => formatNs(s.p50)],
  ["p99", "p99", (s) => formatNs(s.p99)],
  ["stolen", "stolen", (s) => String(s.stolen)],
  ["waited", "waited", (s) => formatNs(s.waited)],
  ["blamed", "others idle", (s) => formatNs(s.blamed)],
];

export function Functions({ data, search }: { data: Data; search: (name: string) => void }) {
  const [by, setBy] = useState<keyof Site>("ran");
  const sites = useMemo(() => [...data.numbers.sites].sort((a, b) => by === "name"
    ? siteOf(data, a.name).localeCompare(siteOf(data, b.name))
    : (b[by] as number) - (a[by] as number)), [data, by]);
  return (
    <table id="functions">
      <thead>
        <tr>{columns.map(([key, label]) => (
          <th key={key} aria-sort={by === key ? "descending" : "none"}>
            <button onClick={() => setBy(key)}>{label}</button>
          </th>
        ))}</tr>
      </thead>
      <tbody>
        {sites.slice(0, 500).map((site) => (
          <tr key={site.name} onClick={() => search(nameOf(data, site.name))}>
            {columns.map(([key, , show], i) => (
              <td key={key}>
                {i === 0 && <i class="dot" style={{ background: css(colorOf(nameOf(data, site.name))) }} />}
                {show(site, data)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function Grain({ data }: { data: Data }) {
  const sites = data.numbers.sites.slice(0, 6);
  const first = Math.min(...sites.map((s) => s.buckets.findIndex((b) => b > 0)).filter((b) => b >= 0));
  const last = Math.max(...sites.map((s) => s.buckets.findLastIndex((b) => b > 0)));
  return (
    <div id="grain">
      <p>How long tasks ran, by powers of two. A task that another core takes begins {" "}
        {formatNs(data.numbers.burden)} after it was offered, as a rule: tasks much shorter than that
        are not worth taking.</p>
      {sites.map((site) => (
        <figure key={site.name}>
          <figcaption>{siteOf(data, site.name)}: {site.count.toLocaleString("en")}</figcaption>
          <div class="bars">
            {site.buckets.slice(first, last + 1).map((count, i) => (
              <div key={i} title={`${count} from ${formatNs(2 ** (first + i))}`}>
                <span style={{
                  height: `${count ? Math.max(2, (100 * count) / Math.max(...site.buckets)) : 0}%`,
                  background: css(colorOf(nameOf(data, site.name))),
                }} />
                <small>{formatNs(2 ** (first + i))}</small>
              </div>
            ))}
          </div>
        </figure>
      ))}
    </div>
  );
}

const POINTS = 4000;

export function Loops({ data }: { data: Data }) {
  const { from, a, b, kind } = data.slice;
  const chart = useMemo(() => {
    const chunks: [number, number][] = [];
    for (let i = 0; i < from.length; i++) {
      if (kind[i] === Kind.Chunk) chunks.push([from[i], Math.max(b[i] - a[i], 1)]);
    }
    chunks.sort((x, y) => x[0] - y[0]);
    const step = Math.max(1, Math.ceil(chunks.length / POINTS));
    const some = chunks.filter((_, i) => i % step === 0);
    return {
      x: some.map((c) => c[0]),
      curves: [{ label: "elements", color: "#5b8def", values: some.map((c) => c[1]), points: true }],
    };
  }, [data]);
  return (
    <div id="loops">
      {chart.x.length > 1
        ? <Chart id="chunks" title="Elements in a run, over time" x={chart.x} curves={chart.curves}
            logY formatX={formatNs} formatY={(v) => String(v)} />
        : <p>There are no runs of elements in this trace: record it with :tasks.</p>}
      <table>
        <thead><tr><th>loop</th><th>elements</th><th>runs</th><th>took</th></tr></thead>
        <tbody>
          {data.numbers.loops.slice(0, 200).map(([name, began, ended, elements, pieces], i) => (
            <tr key={i}><th scope="row">{siteOf(data, name)}</th><td>{elements}</td><td>{pieces}</td>
              <td>{formatNs(ended - began)}</td></tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Prediction({ data }: { data: Data }) {
  const forecast = data.numbers.forecast;
  const chart = useMemo(() => {
    if (!forecast) return null;
    const one = forecast.points[0][2];
    const speed = (ns: number) => (ns > 0 ? one / ns : null);
    const cores = forecast.points.map((p) => p[0]);
    const limit = speed(forecast.path) ?? 1;
    return {
      x: cores,
      curves: [
        { label: "most seeds below", color: "#9bb8f5", values: forecast.points.map((p) => speed(p[1])) },
        { label: "most seeds above", color: "#9bb8f5", values: forecast.points.map((p) => speed(p[3])) },
        { label: "times as fast", color: "#2f6fed", values: forecast.points.map((p) => speed(p[2])) },
        { label: "cores", color: "#8a939e", values: cores.map((c) => Math.min(c, 4096)), dash: [4, 4] },
        { label: "longest chain", color: "#b3261e", values: cores.map(() => limit), dash: [2, 4] },
      ],
    };
  }, [forecast]);
  if (!forecast || !chart) return <p>There is nothing to predict from.</p>;
  return (
    <div id="prediction">
      <Chart id="speedup" title="How many times as fast as on one core" x={chart.x} curves={chart.curves}
        band={[1, 2]} logX logY formatX={(v) => String(v)} formatY={(v) => v.toFixed(v < 10 ? 1 : 0)} />
      <table>
        <thead><tr><th>cores</th><th>takes</th><th>times as fast</th></tr></thead>
        <tbody>
          {forecast.points.map(([cores, , median]) => (
            <tr key={cores}><th scope="row">{cores}</th><td>{formatNs(median)}</td>
              <td>{(forecast.points[0][2] / Math.max(median, 1)).toFixed(2)}</td></tr>
          ))}
        </tbody>
      </table>
      <p>Recorded: {formatNs(forecast.took)} on {data.numbers.workers} workers; the same played on as
        many: {formatNs(forecast.recorded)}. No number of cores makes it faster than its longest chain,
        {" "}{formatNs(forecast.path)}.</p>
      {forecast.whatIfs.length > 0 && (
        <table id="whatifs">
          <caption>What if a function took half as long, or could be split 64 ways</caption>
          <thead><tr><th>function</th><th>cores</th><th>now</th><th>halved</th><th>split</th></tr></thead>
          <tbody>
            {forecast.whatIfs.flatMap(([name, ...times]) => [0, 3].map((at) => (
              <tr key={`${name}/${at}`}><th scope="row">{at ? "" : siteOf(data, name)}</th>
                <td>{at ? 64 : data.numbers.workers}</td>
                {times.slice(at, at + 3).map((ns, i) => <td key={i}>{formatNs(ns)}</td>)}</tr>
            )))}
          </tbody>
        </table>
      )}
    </div>
  );
}

interface Relations {
  children: number[];
  waits: number[];
}

function relationsOf(data: Data, task: number): Relations {
  const children: number[] = [];
  for (let i = 0; i < data.task.parent.length && children.length < 50; i++) {
    if (data.task.parent[i] === task) children.push(i);
  }
  const waits: number[] = [];
  for (const row of data.rows) {
    if (row.lane !== Lane.Waits) continue;
    for (let i = row.begin; i < row.end && waits.length < 50; i++) {
      if (data.slice.a[i] === task) waits.push(i);
    }
  }
  return { children, waits };
}

const hows = ["from its own core", "stolen", "from outside", "a call into the pool", "by one who waited for it"];

export function Detail({ data, slice, go }:
  { data: Data; slice: number; go: (task: number) => void }) {
  const { kind, what, from, to, a, b, track } = data.slice;
  const task = slice >= 0 && kind[slice] === Kind.Task ? what[slice] : NONE;
  const relations = useMemo(() => (task === NONE ? null : relationsOf(data, task)), [data, task]);
  if (slice < 0) return <p>Click something in the timeline.</p>;
  const t = data.task;
  const link = (other: number) => (
    <button class="link" onClick={() => go(other)}>{nameOf(data, t.name[other])} #{other}</button>
  );
  if (task === NONE || !relations) {
    const facts: [string, string][] = [
      ["what", sliceName(data, slice)], ["where", data.numbers.tracks[track[slice]].name],
      ["from", formatNs(from[slice])], ["took", formatNs(to[slice] - from[slice])],
    ];
    if (kind[slice] === Kind.Chunk) facts.push(["elements", `${a[slice]} to ${b[slice] - 1}`]);
    return <Rows id="detail" rows={facts} />;
  }
  const stolen = t.from[task] > 0 ? `stolen from core ${t.from[task] - 1}` : hows[t.how[task]] ?? "";
  return (
    <div id="detail" class="columns">
      <section>
        <h2>{siteOf(data, t.name[task])} #{task}</h2>
        <Rows id="task" rows={[
          ["where", data.numbers.tracks[t.track[task]].name, stolen],
          ["made", formatNs(t.made[task])],
          ["began", formatNs(t.began[task]), `${formatNs(t.began[task] - t.made[task])} later`],
          ["ended", formatNs(t.ended[task]), `${formatNs(t.ended[task] - t.began[task])} later`],
          ["ran", formatNs(t.ran[task]), "itself"],
          ["waited", formatNs(t.waited[task])],
          ["on the longest chain", t.path[task] ? "yes" : "no"],
        ]} />
      </section>
      <section>
        <h2>Made by</h2>
        <p id="parent">{t.parent[task] === NONE ? "the program's own thread, or unknown" : link(t.parent[task])}</p>
        <h2>Made</h2>
        <ul id="children">{relations.children.map((child) => (
          <li key={child}>{link(child)} {t.from[child] > 0 ? `stolen from core ${t.from[child] - 1}` : ""}</li>
        ))}</ul>
      </section>
      <section>
        <h2>Waited for</h2>
        <ul>{relations.waits.map((i) => (
          <li key={i}>{sliceName(data, i)}: {formatNs(to[i] - from[i])} at {formatNs(from[i])}</li>
        ))}</ul>
      </section>
    </div>
  );
}
