// Puts the built script and style into one file: the template that filch-trace embeds.
// Usage: node scripts/finish.js [OUT]
import { readFileSync, writeFileSync } from "node:fs";

const read = (name) => readFileSync(new URL(`../dist/${name}`, import.meta.url), "utf8");
const out = process.argv[2] ?? new URL("../../trace/page.html", import.meta.url);

// A script may not hold its own end, nor a mark that the tool replaces.
const script = read("page.js").replaceAll("</script", "<\\/script").trim();
const policy =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:";
const page = `<!doctype html>
<!-- Generated from tools/viewer by "npm run build"; do not edit. -->
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<link rel="icon" href="data:,">
<title>filch trace</title>
<style>${read("page.css").trim()}</style>
</head>
<body>
<div id="page"></div>
<script id="numbers" type="application/json">@FILCH_NUMBERS@</script>
<script id="columns" type="text/plain">@FILCH_COLUMNS@</script>
<script type="module">${script}</script>
</body>
</html>
`;
const most = 150 * 1024;
if (Buffer.byteLength(page) > most) {
  throw new Error(`the template has ${Buffer.byteLength(page)} bytes, at most ${most}`);
}
writeFileSync(out, page);
console.log(`the template has ${Buffer.byteLength(page)} bytes`);
