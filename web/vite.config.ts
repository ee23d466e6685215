import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** Where `npm run dev` finds a running server; set LATENT_LOOM_SERVER for another port. */
const server = process.env.LATENT_LOOM_SERVER ?? "http://127.0.0.1:8188";

export default defineConfig({
  plugins: [react()],
  base: "./",
  build: { target: "es2022", chunkSizeWarningLimit: 700 },
  server: {
    host: "127.0.0.1",
    // The server refuses a foreign Origin, so a proxied request carries the server's own.
    proxy: {
      "/api": { target: server, ws: true, changeOrigin: true, headers: { origin: server } },
    },
  },
  // Properties try hundreds of cases, and the machine may be busy.
  test: { environment: "node", include: ["tests/**/*.test.ts"], testTimeout: 60_000 },
});
