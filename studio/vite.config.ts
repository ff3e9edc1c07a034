import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

// `npm run dev` passes what is asked of the API on to a studio that runs beside it.
const studio = process.env["STUDIO"] ?? "http://127.0.0.1:8790";

export default defineConfig({
  plugins: [svelte()],
  resolve: { alias: { $lib: here("src/lib"), $components: here("src/components") } },
  build: {
    outDir: here("../connector/studio/pages"),
    emptyOutDir: true,
    target: ["chrome123", "firefox121", "safari17.5"],
    // Content-Security-Policy allows no data: addresses and no inline code.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { "/api": { target: studio, changeOrigin: true } } },
});
