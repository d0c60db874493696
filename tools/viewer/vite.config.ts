import { defineConfig } from "vite";

// One script and one style sheet; scripts/finish.js puts both into the page.
export default defineConfig({
  esbuild: { jsx: "automatic", jsxImportSource: "preact", legalComments: "none" },
  build: {
    target: "es2022",
    cssCodeSplit: false,
    assetsInlineLimit: 1 << 20,
    modulePreload: false,
    rollupOptions: {
      output: {
        entryFileNames: "page.js",
        assetFileNames: "page.[ext]",
        inlineDynamicImports: true,
      },
    },
  },
});
