// Colours: one for each function, the same in every run; and those of the theme.

export interface Theme {
  dark: boolean;
  back: string;
  text: string;
  faint: string;
  line: string;
  accent: string;
  parked: number;
  search: number;
  gap: number;
  path: number;
}

const light: Theme = {
  dark: false, back: "#ffffff", text: "#1b1f24", faint: "#5b6470", line: "#d8dde3",
  accent: "#b3261e", parked: 0xdfe3e8, search: 0xf2c14e, gap: 0xb3261e, path: 0xb3261e,
};
const dark: Theme = {
  dark: true, back: "#15181c", text: "#e6e9ed", faint: "#9aa4af", line: "#343a41",
  accent: "#ff8a80", parked: 0x2b3138, search: 0xc99a2e, gap: 0xff8a80, path: 0xff8a80,
};

export const themeOf = (): Theme =>
  document.documentElement.dataset.theme === "dark" ? dark : light;

// By the name's text: hue from a hash, lightness in three steps.
export function colorOf(name: string): number {
  let hash = 2166136261;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 16777619);
  const hue = ((hash >>> 8) % 360) / 360;
  const light = 0.46 + ((hash >>> 20) % 3) * 0.07;
  return fromHsl(hue, 0.48, light);
}

function fromHsl(h: number, s: number, l: number): number {
  const a = s * Math.min(l, 1 - l);
  const part = (n: number) => {
    const k = (n + h * 12) % 12;
    return Math.round(255 * (l - a * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return (part(0) << 16) | (part(8) << 8) | part(4);
}

export const css = (color: number) => `#${color.toString(16).padStart(6, "0")}`;
