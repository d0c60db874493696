// The timeline: a row for each core with what ran on it, over time. Work for a picture follows the
// pixels, not the slices: of what is narrower than a pixel, whole pixels are drawn at once, by how
// much of them is covered.

import { colorOf, css, Theme, themeOf } from "./colors";
import { Data, formatNs, Kind, Lane, lowerBound, NONE, Row, sliceName } from "./data";
import { Painter, painterFor } from "./paint";

export const GUTTER = 110; // for names, at the left
const AXIS = 22;
const STRIP = 54; // how many cores worked, over time
const CHAIN = 16;
const ROW = 17;
const STATE = 7;
const PAD = 6;
const DEPTHS = 16; // deeper tasks are drawn in the last row
const ARROWS = 400; // more of them say nothing

export interface View {
  from: number;
  to: number;
}

export interface Marks {
  path: boolean;
  arrows: boolean;
  found: Set<number> | null; // names that a search found; NULL: no search
  slice: number; // the chosen one; -1: none
}

interface PlacedTrack {
  track: number;
  y: number; // of its first row
  height: number;
  depths: number;
  spans: number;
}

export class Timeline {
  view: View;
  marks: Marks = { path: false, arrows: true, found: null, slice: -1 };
  frameMs = 0; // what the last picture took
  onPick: (slice: number) => void = () => {};
  onView: (view: View) => void = () => {};
  private readonly painter: Painter;
  private readonly text: CanvasRenderingContext2D;
  private readonly colors = new Map<number, number>();
  private placed: PlacedTrack[] = [];
  private width = 0;
  private height = 0;
  private ratio = 1;
  private asked = false;
  private theme: Theme = themeOf();

  constructor(
    private readonly data: Data,
    private readonly box: HTMLElement,
    private readonly rects: HTMLCanvasElement,
    private readonly words: HTMLCanvasElement,
    plain: boolean,
  ) {
    this.view = this.whole();
    this.painter = painterFor(rects, plain);
    this.text = words.getContext("2d") as CanvasRenderingContext2D;
    this.place();
    this.listen();
    new ResizeObserver(() => this.resize()).observe(box);
    this.resize();
  }

  get paintedBy() { return this.painter.kind; }

  whole(): View {
    const end = Math.max(this.data.numbers.end, 1);
    return { from: -end * 0.005, to: end * 1.005 };
  }

  show(view: View) {
    const end = Math.max(this.data.numbers.end, 1);
    const length = Math.min(Math.max(view.to - view.from, 20), end * 1.2);
    const from = Math.min(Math.max(view.from, -end * 0.1), end * 1.1 - length);
    this.view = { from, to: from + length };
    this.onView(this.view);
    this.ask();
  }

  zoom(factor: number, x: number) {
    const at = this.timeAt(x);
    const { from, to } = this.view;
    this.show({ from: at - (at - from) * factor, to: at + (to - at) * factor });
  }

  pan(part: number) {
    const by = (this.view.to - this.view.from) * part;
    this.show({ from: this.view.from + by, to: this.view.to + by });
  }

  // So that the slice is seen, with some room around it.
  reveal(slice: number) {
    const from = this.data.slice.from[slice];
    const to = this.data.slice.to[slice];
    const room = Math.max((to - from) * 1.5, 50);
    this.show({ from: from - room, to: to + room });
    const placed = this.placed.find((p) => p.track === this.data.slice.track[slice]);
    if (placed) this.box.scrollTop = Math.max(0, placed.y - this.box.clientHeight / 2);
  }

  // Where a slice is on the canvas, for tests: null, it is not in view.
  where(slice: number): { x: number; y: number } | null {
    const placed = this.placed.find((p) => p.track === this.data.slice.track[slice]);
    const from = this.xOf(this.data.slice.from[slice]);
    const to = this.xOf(this.data.slice.to[slice]);
    if (!placed || to < GUTTER || from > this.width) return null;
    const row = this.rowY(placed, this.data.slice.lane[slice], this.data.slice.depth[slice]);
    return { x: (Math.max(from, GUTTER) + Math.min(to, this.width)) / 2, y: row.y + row.h / 2 };
  }

  ask() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      const began = performance.now();
      this.draw();
      this.frameMs = performance.now() - began;
    });
  }

  // ---- where things are ----

  private place() {
    const { numbers, rows } = this.data;
    let y = AXIS + STRIP + CHAIN + PAD;
    this.placed = numbers.tracks.map((_, track) => {
      const own = rows.filter((r) => r.track === track);
      const depth = (lane: Lane) =>
        own.filter((r) => r.lane === lane).reduce((most, r) => Math.max(most, r.depth + 1), 0);
      const depths = Math.min(Math.max(depth(Lane.Tasks), 1), DEPTHS);
      const spans = Math.min(depth(Lane.Spans), DEPTHS);
      const height = (depths + spans) * ROW + STATE + PAD;
      const placed = { track, y, height, depths, spans };
      y += height;
      return placed;
    });
    this.height = y + PAD;
  }

  private rowY(placed: PlacedTrack, lane: Lane, depth: number): { y: number; h: number } {
    if (lane === Lane.State) return { y: placed.y + (placed.depths + placed.spans) * ROW, h: STATE };
    const row = lane === Lane.Spans
      ? Math.min(depth, placed.spans - 1) : placed.spans + Math.min(depth, placed.depths - 1);
    return { y: placed.y + row * ROW, h: ROW - 1 };
  }

  private resize() {
    this.ratio = window.devicePixelRatio || 1;
    this.width = Math.max(this.box.clientWidth, 300);
    for (const canvas of [this.rects, this.words]) {
      canvas.width = this.width * this.ratio;
      canvas.height = this.height * this.ratio;
      canvas.style.width = `${this.width}px`;
      canvas.style.height = `${this.height}px`;
    }
    this.ask();
  }

  private get scale() { return (this.width - GUTTER) / (this.view.to - this.view.from); }
  private xOf(ns: number) { return GUTTER + (ns - this.view.from) * this.scale; }
  timeAt(x: number) { return this.view.from + (x - GUTTER) / this.scale; }

  // ---- the picture ----

  private draw() {
    this.theme = themeOf();
    this.painter.begin(this.width, this.height, this.ratio);
    this.text.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    this.text.clearRect(0, 0, this.width, this.height);
    this.text.font = "11px system-ui, sans-serif";
    this.text.textBaseline = "middle";
    this.drawChain();
    this.drawStrip();
    for (const row of this.data.rows) {
      if (row.lane !== Lane.Waits) this.drawRow(row);
    }
    this.painter.end();
    this.drawGutter();
    this.drawAxis();
    if (this.marks.arrows) this.drawArrows();
    this.drawChosen();
  }

  private colorOf(slice: number): number {
    const { kind, what } = this.data.slice;
    switch (kind[slice]) {
      case Kind.Search: return this.theme.search;
      case Kind.Parked: return this.theme.parked;
      case Kind.Gap: return this.theme.gap;
    }
    const name = this.nameNumber(slice);
    let color = this.colors.get(name);
    if (color === undefined) {
      color = colorOf(sliceName(this.data, slice));
      this.colors.set(name, color);
    }
    return kind[slice] === Kind.Chunk ? shade(color, this.data.slice.a[slice]) : what[slice] === NONE
      ? this.theme.parked : color;
  }

  nameNumber(slice: number): number {
    const { kind, what } = this.data.slice;
    if (kind[slice] !== Kind.Task) return what[slice];
    return what[slice] === NONE ? 0 : this.data.task.name[what[slice]];
  }

  private alphaOf(slice: number): number {
    const { kind, what } = this.data.slice;
    const isTask = kind[slice] === Kind.Task && what[slice] !== NONE;
    if (this.marks.found && kind[slice] <= Kind.Span) {
      return this.marks.found.has(this.nameNumber(slice)) ? 1 : 0.15;
    }
    if (this.marks.path && kind[slice] <= Kind.Chunk) {
      return isTask && this.data.task.path[what[slice]] ? 1 : 0.25;
    }
    return 1;
  }

  private drawRow(row: Row) {
    const { from, to, covered } = this.data.slice;
    const { y, h } = this.rowY(this.placed[row.track], row.lane, row.depth);
    const pixel = 1 / this.scale;
    let i = Math.max(row.begin, lowerBound(from, row.begin, row.end, this.view.from) - 1);
    while (i < row.end && from[i] < this.view.to) {
      const x = Math.max(this.xOf(from[i]), GUTTER);
      const right = Math.min(this.xOf(to[i]), this.width);
      if (to[i] - from[i] >= pixel * 1.5) {
        if (right > x) {
          this.painter.rect(x, y, Math.max(right - x - 0.5, 0.5), h, this.colorOf(i), this.alphaOf(i));
          if (right - x > 34 && row.lane !== Lane.State) this.label(i, x, right, y + h / 2);
        }
        i++;
      } else {
        const next = lowerBound(from, i + 1, row.end, from[i] + pixel);
        const last = next < row.end ? covered[next] : covered[next - 1] + to[next - 1] - from[next - 1];
        const part = Math.min(1, Math.max((last - covered[i]) / pixel, 0.12));
        if (right >= GUTTER) this.painter.rect(x, y, 1, h, this.colorOf(i), part * this.alphaOf(i));
        i = next;
      }
    }
  }

  private label(slice: number, x: number, right: number, y: number) {
    this.text.save();
    this.text.beginPath();
    this.text.rect(x, y - ROW, right - x - 3, ROW * 2);
    this.text.clip();
    this.text.fillStyle = "#ffffff";
    this.text.globalAlpha = this.alphaOf(slice);
    const { kind, a, b } = this.data.slice;
    const range = kind[slice] === Kind.Chunk ? ` [${a[slice]}, ${b[slice]})` : "";
    this.text.fillText(sliceName(this.data, slice) + range, x + 3, y);
    this.text.restore();
  }

  private drawChain() {
    const { from, ns, task } = this.data.chain;
    const y = AXIS + STRIP;
    const pixel = 1 / this.scale;
    let i = Math.max(0, lowerBound(from, 0, from.length, this.view.from) - 1);
    for (; i < from.length && from[i] < this.view.to; i++) {
      const x = Math.max(this.xOf(from[i]), GUTTER);
      const right = Math.min(this.xOf(from[i] + ns[i]), this.width);
      if (right < GUTTER) continue;
      const color = task[i] === NONE ? this.theme.parked
        : colorOf(sliceNameOfTask(this.data, task[i]));
      this.painter.rect(x, y, Math.max(right - x, 1), CHAIN - 4, color, 1);
      if (ns[i] < pixel) i = Math.max(i, lowerBound(from, i + 1, from.length, from[i] + pixel) - 1);
    }
  }

  // How many cores worked: what the outermost rows of tasks cover, pixel by pixel.
  private drawStrip() {
    const { from, to, covered } = this.data.slice;
    const rows = this.data.rows.filter((r) => r.lane === Lane.Tasks && r.depth === 0);
    const most = Math.max(this.data.numbers.workers, rows.length, 1);
    const until = (row: Row, ns: number) => {
      const i = lowerBound(from, row.begin, row.end, ns) - 1;
      if (i < row.begin) return 0;
      return covered[i] + Math.min(ns, to[i]) - from[i];
    };
    const before = rows.map((row) => until(row, this.timeAt(GUTTER)));
    for (let x = GUTTER; x < this.width; x += 2) {
      const end = this.timeAt(x + 2);
      let cores = 0;
      rows.forEach((row, i) => {
        const now = until(row, end);
        cores += ((now - before[i]) * this.scale) / 2;
        before[i] = now;
      });
      const h = (Math.min(cores, most) / most) * (STRIP - 8);
      if (h > 0) this.painter.rect(x, AXIS + STRIP - 4 - h, 2, h, 0x5b8def, 0.8);
    }
  }

  private drawGutter() {
    const { text, theme } = this;
    text.fillStyle = theme.faint;
    text.fillText(`cores at work (${this.data.numbers.workers})`, 4, AXIS + STRIP / 2);
    text.fillText("longest chain", 4, AXIS + STRIP + CHAIN / 2 - 2);
    for (const placed of this.placed) {
      text.strokeStyle = theme.line;
      text.beginPath();
      text.moveTo(0, placed.y - PAD / 2);
      text.lineTo(this.width, placed.y - PAD / 2);
      text.stroke();
      text.fillStyle = theme.text;
      text.fillText(this.data.numbers.tracks[placed.track].name, 4, placed.y + ROW / 2);
    }
  }

  private drawAxis() {
    const { text, theme } = this;
    const length = this.view.to - this.view.from;
    const rough = (length / (this.width - GUTTER)) * 110;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough) ?? power * 10;
    text.fillStyle = theme.faint;
    text.strokeStyle = theme.line;
    for (let at = Math.ceil(this.view.from / step) * step; at < this.view.to; at += step) {
      const x = this.xOf(at);
      text.beginPath();
      text.moveTo(x, AXIS - 6);
      text.lineTo(x, AXIS);
      text.stroke();
      text.fillText(at === 0 ? "0" : formatNs(at), x + 3, AXIS / 2);
    }
  }

  private arrowEnds(flow: number) {
    const { from, to, fromTrack, toTrack } = this.data.flow;
    const start = this.placed[fromTrack[flow]];
    const end = this.placed[toTrack[flow]];
    return {
      x1: this.xOf(from[flow]), y1: start.y + (start.spans + 0.5) * ROW,
      x2: this.xOf(to[flow]), y2: end.y + (end.spans + 0.5) * ROW,
    };
  }

  private visibleFlows(): number[] {
    const { from, to, byFrom, task } = this.data.flow;
    const chosen = this.marks.slice >= 0 && this.data.slice.kind[this.marks.slice] === Kind.Task
      ? this.data.slice.what[this.marks.slice] : -1;
    const shown: number[] = [];
    for (const flow of byFrom) {
      if (from[flow] > this.view.to) break;
      if (to[flow] >= this.view.from) shown.push(flow);
      if (shown.length > ARROWS * 20) break;
    }
    return shown.length <= ARROWS ? shown : shown.filter((f) => task[f] === chosen);
  }

  private drawArrows() {
    const { text, theme } = this;
    text.save();
    text.beginPath();
    text.rect(GUTTER, AXIS, this.width, this.height);
    text.clip();
    for (const flow of this.visibleFlows()) {
      const { x1, y1, x2, y2 } = this.arrowEnds(flow);
      const steal = this.data.flow.kind[flow] === 0;
      text.strokeStyle = text.fillStyle = steal ? theme.text : theme.faint;
      text.globalAlpha = steal ? 0.8 : 0.4;
      text.setLineDash(steal ? [] : [3, 3]);
      text.beginPath();
      text.moveTo(x1, y1);
      text.bezierCurveTo(x1 + 12, y1, x2 - 12, y2, x2, y2);
      text.stroke();
      text.beginPath();
      text.moveTo(x2, y2);
      text.lineTo(x2 - 5, y2 - 3);
      text.lineTo(x2 - 5, y2 + 3);
      text.fill();
    }
    text.restore();
  }

  private drawChosen() {
    const slice = this.marks.slice;
    if (slice < 0) return;
    const { track, lane, depth, from, to } = this.data.slice;
    const { y, h } = this.rowY(this.placed[track[slice]], lane[slice], depth[slice]);
    const x = Math.max(this.xOf(from[slice]), GUTTER);
    const right = Math.min(this.xOf(to[slice]), this.width);
    if (right < GUTTER || x > this.width) return;
    this.text.strokeStyle = this.theme.accent;
    this.text.lineWidth = 2;
    this.text.strokeRect(x - 1, y - 1, Math.max(right - x, 2) + 1, h + 2);
    this.text.lineWidth = 1;
  }

  // ---- hands ----

  // The slice at a place; -1: none.
  sliceAt(x: number, y: number): number {
    const { from, to } = this.data.slice;
    const at = this.timeAt(x);
    const near = 2 / this.scale;
    for (const row of this.data.rows) {
      if (row.lane === Lane.Waits) continue;
      const place = this.rowY(this.placed[row.track], row.lane, row.depth);
      if (y < place.y || y >= place.y + place.h || x < GUTTER) continue;
      const i = lowerBound(from, row.begin, row.end, at) - 1;
      if (i >= row.begin && to[i] >= at) return i;
      if (i + 1 < row.end && from[i + 1] - at <= near) return i + 1;
      if (i >= row.begin && at - to[i] <= near) return i;
    }
    return -1;
  }

  private listen() {
    let grabbed: { x: number; view: View; moved: boolean } | null = null;
    this.words.addEventListener("wheel", (event) => {
      if (event.ctrlKey || event.metaKey || !event.shiftKey) {
        event.preventDefault();
        this.zoom(Math.exp(event.deltaY * 0.0015), event.offsetX);
      }
    }, { passive: false });
    this.words.addEventListener("pointerdown", (event) => {
      grabbed = { x: event.offsetX, view: this.view, moved: false };
      this.words.setPointerCapture(event.pointerId);
    });
    this.words.addEventListener("pointermove", (event) => {
      if (!grabbed) return;
      const by = (grabbed.x - event.offsetX) / this.scale;
      grabbed.moved ||= Math.abs(event.offsetX - grabbed.x) > 3;
      if (grabbed.moved) this.show({ from: grabbed.view.from + by, to: grabbed.view.to + by });
    });
    this.words.addEventListener("pointerup", (event) => {
      if (grabbed && !grabbed.moved) this.onPick(this.sliceAt(event.offsetX, event.offsetY));
      grabbed = null;
    });
    this.words.addEventListener("dblclick", (event) => {
      const slice = this.sliceAt(event.offsetX, event.offsetY);
      if (slice >= 0) this.reveal(slice);
    });
  }

  legend(names: number[]): { name: string; color: string }[] {
    return names.map((name) => {
      const text = this.data.numbers.names[name]?.[0] ?? "(unknown)";
      return { name: text, color: css(colorOf(text)) };
    });
  }
}

function sliceNameOfTask(data: Data, task: number): string {
  return data.numbers.names[data.task.name[task]]?.[0] ?? "(unknown)";
}

// Neighbouring runs of elements are told apart.
function shade(color: number, first: number): number {
  const by = (first * 2654435761) % 2 ? 0.82 : 0.92;
  const part = (shift: number) => Math.round(((color >> shift) & 255) * by) << shift;
  return part(16) | part(8) | part(0);
}
