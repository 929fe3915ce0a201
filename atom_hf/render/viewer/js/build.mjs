// Bundles src/ and three.js into one ES module, the same bytes every time:   npm ci && npm run build [-- FOLDER]
// The first line of the bundle names the sources that it was made of; a test compares it with the files.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const target = process.argv[2] ?? join(here, "..", "static");

const sources = ["build.mjs", "package-lock.json", "package.json"];
for (const name of readdirSync(join(here, "src"))) sources.push(`src/${name}`);
const digest = createHash("sha256");
for (const name of sources.sort()) digest.update(`${name}\n`).update(readFileSync(join(here, name)));

const result = await build({
  absWorkingDir: here,
  entryPoints: ["src/main.js"],
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "ascii",
  legalComments: "inline",
  write: false,
});
// A page may hold the module between script tags: no text in it may end them.
const code = result.outputFiles[0].text.replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");

// Nested rules become flat ones, for browsers that do not know them.
const style = await build({
  absWorkingDir: here,
  entryPoints: ["src/viewer.css"],
  minify: true,
  target: ["chrome111", "firefox113", "safari16.2"],
  write: false,
});

mkdirSync(target, { recursive: true });
writeFileSync(join(target, "viewer.js"), `/* atom_hf viewer, sources ${digest.digest("hex")} */\n${code}`);
writeFileSync(join(target, "viewer.css"), style.outputFiles[0].text);
copyFileSync(join(here, "node_modules", "three", "LICENSE"), join(target, "LICENSE.three.txt"));
