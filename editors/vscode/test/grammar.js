// The grammar, run as VS Code runs it: what it says of a few lines, and that it has a word for all of the examples.
"use strict";

const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const oniguruma = require("vscode-oniguruma");
const textmate = require("vscode-textmate");

const here = path.join(__dirname, "..");
const root = path.join(here, "../..");

/** Every token of the language in a line, with the scope that what is marked must have. */
const WANTED = [
  ["param «lr»: Float = 1e-3", "variable.other.constant.mlp"],
  ["«param» lr: Float = 1e-3", "storage.type.param.mlp"],
  ["param lr: «Float» = 1e-3", "entity.name.type.mlp"],
  ["fn «cnn»(width: Int) = width", "entity.name.function.mlp"],
  ["«fn» cnn(width: Int) = width", "storage.type.function.mlp"],
  ["fn cnn(«width»: Int) = width", "variable.other.member.mlp"],
  ["fn pick[«T»](xs: List[T]) -> T = xs[0]", "entity.name.type.mlp"],
  ["fn pick[T](xs: List[T]) «->» T = xs[0]", "keyword.operator.mlp"],
  ["fn f(«*», by: Float) = by", "keyword.operator.mlp"],
  ["«type» Config = { lr: Float }", "storage.type.mlp"],
  ["type «Config» = { lr: Float }", "entity.name.type.mlp"],
  ["type Config = { note«?»: Str }", "keyword.operator.mlp"],
  ["type Named = { name: Str, «..» }", "keyword.operator.mlp"],
  ["enum «Color» { Red }", "entity.name.type.mlp"],
  ["enum Color { «Red» }", "entity.name.type.mlp"],
  ["«import» std.{nn, optim}", "keyword.control.import.mlp"],
  ["import «std».{nn, optim}", "support.other.namespace.mlp"],
  ["import std.{«nn», optim}", "variable.other.mlp"],
  ["«import» ./lib.mlp as other", "keyword.control.mlp"],
  ["import «./lib.mlp» as other", "string.unquoted.path.mlp"],
  ["import ./lib.mlp «as» other", "keyword.control.mlp"],
  ["params = «import» ./params.yaml as Json", "keyword.control.mlp"],
  ["«digits» = data.csv(./digits.csv)", "variable.other.definition.mlp"],
  ["«lr»: Float = 0.5", "variable.other.definition.mlp"],
  ["digits = data.«csv»(./digits.csv)", "entity.name.function.call.mlp"],
  ["digits = «data».csv(./digits.csv)", "variable.other.mlp"],
  ["digits = data.csv(«./digits.csv»)", "string.unquoted.path.mlp"],
  ["up = «../data/a-b_c.v1.csv»", "string.unquoted.path.mlp"],
  ["file = ./\"a «b».csv\"", "string.quoted.double.mlp"],
  ["half = a «/» b", "keyword.operator.mlp"],
  ["x = f(«seed» = 1)", "variable.parameter.mlp"],
  ["x = f(«...»record)", "keyword.operator.mlp"],
  ["x = { «train»: 0.7 }", "variable.other.member.mlp"],
  ["x = { «match»: 1 }", "variable.other.member.mlp"],
  ["x = f(«for» = 1)", "variable.parameter.mlp"],
  ["x = record.«match»", "variable.other.mlp"],
  ["x = { \"«a b»\": 1 }", "string.quoted.double.mlp"],
  ["x = «if» a then b else c", "keyword.control.mlp"],
  ["x = if a «then» b else c", "keyword.control.mlp"],
  ["x = if a then b «else» c", "keyword.control.mlp"],
  ["x = «match» a { null => 1, _ => 2 }", "keyword.control.mlp"],
  ["x = match a { null «=>» 1, _ => 2 }", "keyword.operator.mlp"],
  ["x = match a { A «|» B => 1, _ => 2 }", "keyword.operator.mlp"],
  ["  «let» y = 1", "keyword.control.mlp"],
  ["x = [y «for» y in ys if y > 0]", "keyword.control.mlp"],
  ["x = [y for y «in» ys if y > 0]", "keyword.control.mlp"],
  ["x = [y for y in ys if y «>» 0]", "keyword.operator.mlp"],
  ["x = «not» a and b or c", "keyword.operator.word.mlp"],
  ["x = not a «and» b or c", "keyword.operator.word.mlp"],
  ["x = not a and b «or» c", "keyword.operator.word.mlp"],
  ["c: «typeof»(base) = base", "keyword.operator.word.mlp"],
  ["x = a == «null»", "constant.language.mlp"],
  ["x = «true»", "constant.language.mlp"],
  ["x = «false»", "constant.language.mlp"],
  ["x = a «??» b", "keyword.operator.mlp"],
  ["x = xs «|>» len", "keyword.operator.mlp"],
  ["x = a «==» b", "keyword.operator.mlp"],
  ["x = a «!=» b", "keyword.operator.mlp"],
  ["x = a «<=» b", "keyword.operator.mlp"],
  ["x = a «>=» b", "keyword.operator.mlp"],
  ["x = a «**» b", "keyword.operator.mlp"],
  ["x = a «//» b", "keyword.operator.mlp"],
  ["x = a «%» b", "keyword.operator.mlp"],
  ["x = «-»a", "keyword.operator.mlp"],
  ["x = y «=>» y + 1", "keyword.operator.mlp"],
  ["x = (a«,» b) => a", "punctuation.separator.mlp"],
  ["x = «[»1, 2]", "punctuation.bracket.mlp"],
  ["x = a«.»b", "punctuation.accessor.mlp"],
  ["x = «1_000»", "constant.numeric.integer.mlp"],
  ["x = «0.5»", "constant.numeric.float.mlp"],
  ["param lr: Float = «1e-3»", "constant.numeric.float.mlp"],
  ["x = «1.5e+10»", "constant.numeric.float.mlp"],
  ["x = «4»GiB", "constant.numeric.mlp"],
  ["x = 4«GiB»", "keyword.other.unit.mlp"],
  ["x = 1.5«h»", "keyword.other.unit.mlp"],
  ["x = 300«ms»", "keyword.other.unit.mlp"],
  ["x = «layer1»", "variable.other.mlp"],
  ["x = conv2«d»(1)", "entity.name.function.call.mlp"],
  ["x = «größe»", "variable.other.mlp"],
  ["x = rows[0].«name»", "variable.other.mlp"],
  ["x = Size.«Small»", "entity.name.type.mlp"],
  ["x = \"a ${«n»} b\"", "variable.other.mlp"],
  ["x = \"a «${»n} b\"", "punctuation.section.interpolation.begin.mlp"],
  ["x = \"a ${n«}» b\"", "punctuation.section.interpolation.end.mlp"],
  ["x = \"a ${f({ k: n })} «b»\"", "string.quoted.double.mlp"],
  ["x = \"a ${\"«in»\"} b\"", "string.quoted.double.mlp"],
  ["x = \"\\«n»\"", "constant.character.escape.mlp"],
  ["x = \"\\«u{1f600}»\"", "constant.character.escape.mlp"],
  ["x = \"\\«u00e9»\"", "constant.character.escape.mlp"],
  ["x = \"\\«q»\"", "invalid.illegal.escape.mlp"],
  ["x = \"\\«$»{n}\"", "constant.character.escape.mlp"],
  ["x = \"\"\"«text»", "string.quoted.triple.mlp"],
  ["x = 1 «# why»", "comment.line.number-sign.mlp"],
  ["x = \"a «# b»\"", "string.quoted.double.mlp"],
  ["## «Passes» over the set.", "comment.line.documentation.mlp"],
  ["##! «What» the file is.", "comment.line.documentation.mlp"],
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

/** The programs in a document of Markdown that stand between "```mlp" and "```". */
function fences(file) {
  const text = fs.readFileSync(path.join(root, file), "utf8");
  return [...text.matchAll(/^```mlp[^\n]*\n(.*?)^```/gms)].map((fence) => fence[1]);
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
  const end = marked.indexOf("»") - 1;
  const { tokens } = mlp.tokenizeLine(line, textmate.INITIAL);
  const inside = tokens.filter((token) => token.endIndex > start && token.startIndex < end);
  inside.forEach((token) => assert.equal(token.scopes.at(-1), scope, marked));
}

function colours(mlp, file, text) {
  let state = textmate.INITIAL;
  text
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
  files.forEach((file) => colours(mlp, file, fs.readFileSync(file, "utf8")));
  const examples = fences("docs/language.md");
  assert(examples.length > 20);
  examples.forEach((text, at) => colours(mlp, `docs/language.md, example ${at + 1}`, text));
  const count = files.length + examples.length;
  console.log(`${WANTED.length} lines and ${count} programs are coloured`);
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
