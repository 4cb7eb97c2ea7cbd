// The grammar, run as VS Code runs it: what it says of a few lines, and that it has a word for all of the examples.
"use strict";

const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const oniguruma = require("vscode-oniguruma");
const textmate = require("vscode-textmate");

const here = path.join(__dirname, "..");
const root = path.join(here, "../..");

/** Lines, each with the scope that its marked word must have. */
const WANTED = [
  ["param «lr»: Float = 1e-3", "variable.other.constant.mlp"],
  ["param lr: «Float» = 1e-3", "entity.name.type.mlp"],
  ["param lr: Float = «1e-3»", "constant.numeric.float.mlp"],
  ["fn «cnn»(width: Int) = width", "entity.name.function.mlp"],
  ["«digits» = data.csv(./digits.csv)", "variable.other.definition.mlp"],
  ["digits = data.«csv»(./digits.csv)", "entity.name.function.call.mlp"],
  ["digits = data.csv(«./digits.csv»)", "string.unquoted.path.mlp"],
  ["x = f(«seed» = 1)", "variable.parameter.mlp"],
  ["x = { «train»: 0.7 }", "variable.other.member.mlp"],
  ["x = { «match»: 1 }", "variable.other.member.mlp"],
  ["x = «if» a then b else c", "keyword.control.mlp"],
  ["x = a == «null»", "constant.language.mlp"],
  ["x = \"a ${«n»} b\"", "variable.other.mlp"],
  ["x = \"a ${f({ k: n })} «b»\"", "string.quoted.double.mlp"],
  ["x = \"\\«n»\"", "constant.character.escape.mlp"],
  ["x = 4«GiB»", "keyword.other.unit.mlp"],
  ["## «Passes» over the set.", "comment.line.documentation.mlp"],
  ["x = rows[0].«name»", "variable.other.mlp"],
  ["enum «Color» { Red }", "entity.name.type.mlp"],
];

async function grammar() {
  const wasm = fs.readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm"));
  await oniguruma.loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength));
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () => {
      const file = path.join(here, "syntaxes/mlp.tmLanguage.json");
      return textmate.parseRawGrammar(fs.readFileSync(file, "utf8"), file);
    },
  });
  return registry.loadGrammar("source.mlp");
}

/** All `.mlp` files below a folder. */
function pipelines(folder) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return pipelines(file);
    return entry.name.endsWith(".mlp") ? [file] : [];
  });
}

function check(mlp, marked, scope) {
  const start = marked.indexOf("«");
  const line = marked.replace("«", "").replace("»", "");
  const token = mlp.tokenizeLine(line, textmate.INITIAL).tokens.find((token) => token.endIndex > start);
  assert.equal(token.scopes.at(-1), scope, marked);
}

function colours(mlp, file) {
  let state = textmate.INITIAL;
  fs.readFileSync(file, "utf8")
    .split("\n")
    .forEach((line, at) => {
      const { tokens, ruleStack } = mlp.tokenizeLine(line, state);
      state = ruleStack;
      for (const token of tokens) {
        const text = line.slice(token.startIndex, token.endIndex).trim();
        const place = `${file}:${at + 1}: \`${text}\``;
        assert(text === "" || token.scopes.length > 1, `${place} has no colour`);
        assert(!token.scopes.some((scope) => scope.startsWith("invalid")), `${place} is illegal`);
      }
    });
  assert.equal(state.depth, 1, `${file} ends within a string`);
}

async function main() {
  const mlp = await grammar();
  WANTED.forEach(([marked, scope]) => check(mlp, marked, scope));
  const files = ["examples", "stdlib"].flatMap((folder) => pipelines(path.join(root, folder)));
  assert(files.length > 0);
  files.forEach((file) => colours(mlp, file));
  console.log(`${WANTED.length} lines and ${files.length} files are coloured`);
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
