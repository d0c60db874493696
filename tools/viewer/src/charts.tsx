// Curves, by uPlot.
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { themeOf } from "./colors";

export interface Curve {
  label: string;
  color: string;
  values: (number | null)[];
  dash?: number[];
  points?: boolean;
}

interface Props {
  id: string;
  title: string;
  x: number[];
  curves: Curve[];
  band?: [upper: number, lower: number]; // numbers of curves
  logX?: boolean;
  logY?: boolean;
  formatX: (value: number) => string;
  formatY: (value: number) => string;
}

function options(props: Props, width: number): uPlot.Options {
  const theme = themeOf();
  const axis = { stroke: theme.faint, grid: { stroke: theme.line, width: 1 } };
  return {
    title: props.title,
    width,
    height: 300,
    scales: {
      x: { time: false, distr: props.logX ? 3 : 1, log: 2 },
      y: { distr: props.logY ? 3 : 1, log: 2 },
    },
    axes: [
      { ...axis, values: (_, ticks) => ticks.map((t) => (t === null ? "" : props.formatX(t))) },
      { ...axis, size: 70, values: (_, ticks) => ticks.map((t) => (t === null ? "" : props.formatY(t))) },
    ],
    series: [
      { label: "x", value: (_, v) => (v === null ? "" : props.formatX(v)) },
      ...props.curves.map((curve) => ({
        label: curve.label,
        stroke: curve.color,
        dash: curve.dash,
        width: curve.points ? 0 : 2,
        paths: curve.points ? () => null : undefined,
        points: { show: !!curve.points, size: 4 },
        value: (_: uPlot, v: number) => (v === null ? "" : props.formatY(v)),
      })),
    ],
    bands: props.band ? [{ series: props.band, fill: "rgba(91, 141, 239, 0.25)" }] : undefined,
  };
}

export function Chart(props: Props) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const box = place.current;
    if (!box) return;
    const width = Math.min(Math.max(box.clientWidth, 320), 900);
    const data: uPlot.AlignedData = [props.x, ...props.curves.map((c) => c.values)];
    const plot = new uPlot(options(props, width), data, box);
    return () => plot.destroy();
  }, [props.x, props.curves]);
  return <div id={props.id} ref={place} />;
}
