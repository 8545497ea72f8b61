// Bundle the map component into app/static, which Streamlit serves at app/static/: `npm ci && npm run build`.
import { copyFileSync } from "node:fs";
import { build } from "esbuild";

const STATIC = "../../static";
const common = { bundle: true, minify: true, format: "esm", target: "es2022", legalComments: "inline", logLevel: "info" };

await build({ ...common, entryPoints: ["src/index.js"], outfile: `${STATIC}/htp-map.js`, loader: { ".css": "text" } });
// MapLibre's worker stays a file of its own: the browser starts it as a module worker from the app's own server.
await build({
  ...common,
  entryPoints: ["node_modules/maplibre-gl/dist/maplibre-gl-worker.mjs"],
  outfile: `${STATIC}/htp-map-worker.js`,
});
copyFileSync("node_modules/maplibre-gl/LICENSE.txt", `${STATIC}/LICENSE-maplibre-gl.txt`);
