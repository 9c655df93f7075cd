// Bundles and minifies the style sheet: node style/bundle.mjs OUT
import { bundle, browserslistToTargets } from "lightningcss";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const { code } = bundle({
  filename: fileURLToPath(new URL("main.css", import.meta.url)),
  minify: true,
  targets: browserslistToTargets(["chrome 105", "safari 16", "firefox 110"]),
});
writeFileSync(process.argv[2], code);
