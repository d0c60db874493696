import { render } from "preact";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import "uplot/dist/uPlot.min.css";
import "./style.css";
import { Data, formatNs, Kind, load, nameOf, NONE } from "./data";
import { Detail, Functions, Grain, Loops, Prediction, Summary } from "./panels";
import { Timeline, View } from "./timeline";

const tabs = ["Summary", "Task", "Functions", "Granularity", "Loops", "Prediction"] as const;
type Tab = (typeof tabs)[number];
const levels = ["?", "sched", "tasks", "all"];

// The slices of a task, the first of them; -1: it has none in the page.
function firstSlice(data: Data, task: number): number {
  const { kind, what, from } = data.slice;
  let first = -1;
  for (let i = 0; i < kind.length; i++) {
    const is = kind[i] === Kind.Task && what[i] === task;
    if (is && (first < 0 || from[i] < from[first])) first = i;
  }
  return first;
}

function search(data: Data, text: string): Set<number> | null {
  if (!text) return null;
  const wanted = text.toLowerCase();
  const names = Object.entries(data.numbers.names);
  return new Set(names.filter(([, n]) => n[0].toLowerCase().includes(wanted)).map(([id]) => +id));
}

// Slices that were found, in the order of time.
function matches(data: Data, timeline: Timeline, found: Set<number>): number[] {
  const all: number[] = [];
  for (let i = 0; i < data.slice.kind.length; i++) {
    if (data.slice.kind[i] <= Kind.Span && found.has(timeline.nameNumber(i))) all.push(i);
  }
  return all.sort((a, b) => data.slice.from[a] - data.slice.from[b]);
}

function useTheme(timeline: () => Timeline | null): [string, () => void] {
  const [theme, set] = useState(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  document.documentElement.dataset.theme = theme;
  useEffect(() => timeline()?.ask(), [theme]);
  return [theme, () => set(theme === "dark" ? "light" : "dark")];
}

function useKeys(timeline: () => Timeline | null) {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const t = timeline();
      if (!t || event.ctrlKey || event.metaKey || event.target instanceof HTMLInputElement) return;
      const middle = document.documentElement.clientWidth / 2;
      const moves: Record<string, () => void> = {
        w: () => t.zoom(0.7, middle), s: () => t.zoom(1 / 0.7, middle),
        a: () => t.pan(-0.2), d: () => t.pan(0.2), 0: () => t.show(t.whole()),
      };
      moves[event.key.toLowerCase()]?.();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
}

function Page({ data }: { data: Data }) {
  const n = data.numbers;
  const box = useRef<HTMLDivElement>(null);
  const rects = useRef<HTMLCanvasElement>(null);
  const words = useRef<HTMLCanvasElement>(null);
  const timeline = useRef<Timeline | null>(null);
  const [tab, setTab] = useState<Tab>("Summary");
  const [slice, setSlice] = useState(-1);
  const [text, setText] = useState("");
  const [path, setPath] = useState(false);
  const [arrows, setArrows] = useState(true);
  const [view, setView] = useState<View>({ from: 0, to: n.end });
  const [match, setMatch] = useState(-1);
  const [theme, toggleTheme] = useTheme(() => timeline.current);
  useKeys(() => timeline.current);

  const pick = useCallback((picked: number) => {
    setSlice(picked);
    if (picked >= 0) setTab("Task");
  }, []);

  useEffect(() => {
    if (!box.current || !rects.current || !words.current) return;
    const plain = location.hash === "#canvas";
    timeline.current = new Timeline(data, box.current, rects.current, words.current, plain);
    timeline.current.onPick = pick;
    timeline.current.onView = setView;
    Object.assign(window, { filch: { data, timeline: timeline.current } }); // for tests
  }, []);

  const found = useMemo(() => search(data, text), [data, text]);
  const all = useMemo(
    () => (found && timeline.current ? matches(data, timeline.current, found) : []), [found]);
  useEffect(() => {
    const t = timeline.current;
    if (!t) return;
    t.marks = { path, arrows, found, slice };
    t.ask();
  }, [path, arrows, found, slice]);

  const look = useCallback((wanted: string) => { // not an effect: Enter may come before it
    setText(wanted);
    setMatch(-1);
  }, []);
  const next = () => {
    if (!all.length) return;
    const at = (match + 1) % all.length;
    setMatch(at);
    pick(all[at]);
    timeline.current?.reveal(all[at]);
  };
  const go = (task: number) => {
    const first = firstSlice(data, task);
    if (first < 0) return;
    pick(first);
    timeline.current?.reveal(first);
  };
  const follow = () => { // the theft that brought the chosen task here
    const task = slice >= 0 && data.slice.kind[slice] === Kind.Task ? data.slice.what[slice] : NONE;
    const flow = data.flow.task.findIndex((t, i) => t === task && data.flow.kind[i] === 0);
    if (task === NONE || flow < 0) return;
    const from = data.flow.from[flow];
    const room = Math.max((data.flow.to[flow] - from) * 3, 200);
    timeline.current?.show({ from: from - room, to: data.flow.to[flow] + room });
    if (data.task.parent[task] !== NONE) pick(firstSlice(data, data.task.parent[task]));
  };

  return (
    <>
      <header>
        <h1>{n.program.split("/").pop()}</h1>
        <span id="facts">{formatNs(n.end)}, {n.workers} workers, level {levels[n.level]},{" "}
          {n.events.toLocaleString("en")} events</span>
        <label>search <input id="search" value={text} placeholder="a function"
          onInput={(e) => look(e.currentTarget.value)}
          onKeyDown={(e) => e.key === "Enter" && next()} /></label>
        <span id="found">{found ? `${match + 1} of ${all.length}` : ""}</span>
        <label><input id="path" type="checkbox" checked={path}
          onChange={(e) => setPath(e.currentTarget.checked)} /> longest chain</label>
        <label><input id="arrows" type="checkbox" checked={arrows}
          onChange={(e) => setArrows(e.currentTarget.checked)} /> arrows</label>
        <button id="follow" onClick={follow} title="From a stolen task to where it was made">where from?</button>
        <button id="all" onClick={() => timeline.current?.show(timeline.current.whole())}>all (0)</button>
        <button id="theme" onClick={toggleTheme}>{theme === "dark" ? "light" : "dark"}</button>
      </header>
      {(n.damaged > 0 || n.gaps.length > 0 || n.full > 0 || n.dropped > 0) && (
        <p id="warnings">
          {n.full > 0 && `The recording reached its bound after ${formatNs(n.full)}. `}
          {n.gaps.length > 0 && `Events were dropped in ${n.gaps.length} places, shown in red. `}
          {n.damaged > 0 && `${n.damaged} chunks of the file are damaged. `}
          {n.dropped > 0 && `The ${n.dropped.toLocaleString("en")} shortest slices are not shown; the numbers have them. `}
        </p>
      )}
      <div id="timeline" ref={box}>
        <canvas ref={rects} aria-hidden="true" />
        <canvas ref={words} id="words" aria-label="timeline: drag or A and D to move, wheel or W and S to zoom" />
      </div>
      <p id="view">{formatNs(view.from)} to {formatNs(view.to)}: {formatNs(view.to - view.from)}.
        {" "}Drag or A, D: move; wheel or W, S: zoom; click: what it is.
        {" "}<span class="legend">{timeline.current?.legend(n.sites.slice(0, 8).map((s) => s.name)).map((l) => (
          <span key={l.name}><i class="dot" style={{ background: l.color }} />{l.name} </span>
        ))}</span></p>
      <nav role="tablist">
        {tabs.map((name) => (
          <button key={name} role="tab" aria-selected={tab === name} onClick={() => setTab(name)}>{name}</button>
        ))}
      </nav>
      <main>
        {tab === "Summary" && <Summary data={data} />}
        {tab === "Task" && <Detail data={data} slice={slice} go={go} />}
        {tab === "Functions" && <Functions data={data} search={look} />}
        {tab === "Granularity" && <Grain data={data} />}
        {tab === "Loops" && <Loops data={data} />}
        {tab === "Prediction" && <Prediction data={data} />}
      </main>
    </>
  );
}

const place = document.getElementById("page") as HTMLElement;
load().then((data) => {
  document.title = `${nameOfProgram(data)}: filch trace`;
  render(<Page data={data} />, place);
}, (error: unknown) => {
  place.textContent = `This page's data cannot be read: ${error}`;
});

function nameOfProgram(data: Data): string {
  return data.numbers.program.split("/").pop() || nameOf(data, 0);
}
