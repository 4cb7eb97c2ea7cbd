// The grammar of `.mlp` for tree-sitter: the grammar of docs/design, level by level, with what depends on line breaks in
// `src/scanner.c`. tests/parser.rs holds it to the language's own parser.

const WORDS = ["if", "then", "else", "match", "let", "fn", "true", "false", "null", "and", "or", "not", "import", "for"];

const list = (element) => optional(seq(element, repeat(seq(",", element)), optional(",")));

/** Two operands and an operator; each level has a rule of its own, and all are called `binary`. */
const operation = (left, operators, right) =>
  seq(field("left", left), field("operator", choice(...operators)), field("right", right));

module.exports = grammar({
  name: "mlp",

  externals: ($) => [
    // Nothing: the next token is the first of its line, and can begin an item.
    $._line,
    // `(`, and `[` before a value or a type, on the line of the token before.
    $._call,
    $._index,
    $._types,
    // `-` between two operands.
    $._minus,
    // `"` whose string ends on its line, also right behind `./`; `"""` of a text that is laid out well.
    $._quote,
    $._path_quote,
    $._triple_quote,
    // The text of a `"""` string.
    $._triple_text,
    $._triple_end,
    $._never,
  ],

  extras: ($) => [/[ \t\r\n]/, $.comment],

  word: ($) => $.lname,

  reserved: {
    global: ($) => WORDS,
    labels: ($) => [],
  },

  inline: ($) => [$._name],

  conflicts: ($) => [
    [$.lambda_parameter, $.name],
    [$.import_file, $.data_import],
    [$._module_path, $.import_file],
  ],

  rules: {
    file: ($) => seq(repeat(seq($._line, $._item)), optional(seq($._line, $._expression))),

    comment: (_) => token(/#[^\r\n]*/),

    // Items.

    _item: ($) =>
      choice($.import_file, $.import_std, $.param, $.type_item, $.enum_item, $.function, $.binding),

    import_file: ($) => seq("import", $.path, optional(seq("as", field("name", $.lname)))),

    import_std: ($) =>
      seq(
        "import",
        "std",
        ".",
        choice(seq($.lname, optional(seq("as", field("name", $.lname)))), seq("{", list($.lname), "}")),
      ),

    param: ($) =>
      seq("param", field("name", $.lname), optional(seq(":", $._type)), optional(seq("=", $._expression))),

    type_item: ($) =>
      seq("type", field("name", $.uname), optional($.type_parameters), "=", field("type", $._type)),

    enum_item: ($) =>
      seq("enum", field("name", $.uname), optional($.type_parameters), "{", list($.variant), "}"),

    variant: ($) =>
      seq(field("name", $.uname), optional(seq(choice($._call, "("), list($.variant_field), ")"))),

    variant_field: ($) =>
      seq(optional(seq(field("label", $.label), ":")), $._type, optional(seq("=", $._expression))),

    function: ($) =>
      seq(
        "fn",
        // The library has `nn.fn`.
        field("name", choice($.lname, alias("fn", $.lname))),
        optional($.type_parameters),
        $.parameters,
        optional(seq("->", field("result", $._type))),
        "=",
        field("body", $._expression),
      ),

    type_parameters: ($) => seq(choice("[", $._index, $._types), list($.uname), "]"),

    parameters: ($) => seq(choice("(", $._call), list(choice("*", $.parameter)), ")"),

    parameter: ($) => seq(field("label", $.label), ":", $._type, optional(seq("=", $._expression))),

    binding: ($) => seq(field("name", $._name), optional(seq(":", $._type)), "=", field("value", $._expression)),

    // Words that begin an item are names elsewhere.
    _name: ($) => choice($.lname, alias(choice("param", "type", "enum"), $.lname)),

    // Expressions, loosest first. Those that branch are no operands.

    _expression: ($) => choice($.lets, $.if, $.match, $.lambda, $.data_import, $._or),

    lets: ($) => seq(repeat1($.let), $._line, field("result", $._expression)),

    let: ($) => seq("let", $._pattern, optional(seq(":", $._type)), "=", field("value", $._expression)),

    if: ($) => seq("if", $._expression, "then", $._expression, "else", $._expression),

    match: ($) => seq("match", field("value", $._or), "{", list($.arm), "}"),

    arm: ($) =>
      seq($._pattern, repeat(seq("|", $._pattern)), optional(seq("if", field("guard", $._or))), "=>", $._expression),

    lambda: ($) =>
      seq(
        choice(alias($.bare_parameter, $.lambda_parameter), seq("(", list($.lambda_parameter), ")")),
        "=>",
        field("body", $._expression),
      ),

    bare_parameter: ($) => $._name,

    lambda_parameter: ($) => seq($.lname, optional(seq(":", $._type))),

    data_import: ($) => seq("import", $.path, "as", $._type),

    _or: ($) => choice(alias($._or_operation, $.binary), $._and),
    _or_operation: ($) => operation($._or, ["or"], $._and),
    _and: ($) => choice(alias($._and_operation, $.binary), $._not),
    _and_operation: ($) => operation($._and, ["and"], $._not),
    _not: ($) => choice($.not, $._comparison),
    not: ($) => seq("not", $._not),
    _comparison: ($) => choice(alias($._comparison_operation, $.binary), $._coalesce),
    _comparison_operation: ($) => operation($._coalesce, ["==", "!=", "<", "<=", ">", ">="], $._coalesce),
    _coalesce: ($) => choice(alias($._coalesce_operation, $.binary), $._pipe),
    _coalesce_operation: ($) => operation($._pipe, ["??"], $._coalesce),
    _pipe: ($) => choice($.pipe, $._add),
    pipe: ($) => seq(choice($.pipe, $._add), "|>", $._target),
    _add: ($) => choice(alias($._add_operation, $.binary), $._multiply),
    _add_operation: ($) => operation($._add, ["+", alias($._minus, "-")], $._multiply),
    _multiply: ($) => choice(alias($._multiply_operation, $.binary), $._unary),
    _multiply_operation: ($) => operation($._multiply, ["*", "/", "//", "%"], $._unary),
    _unary: ($) => choice($.negation, $._power),
    negation: ($) => seq("-", $._unary),
    _power: ($) => choice(alias($._power_operation, $.binary), $._postfix),
    _power_operation: ($) => operation($._postfix, ["**"], $._unary),

    _target: ($) => choice($.name, $.field, $.call, $.parentheses),

    _postfix: ($) => choice($.field, $.call, $.index, $._primary),

    field: ($) => seq($._postfix, ".", field("name", $.label)),

    call: ($) => seq(field("function", $._postfix), optional($.type_arguments), $.arguments),

    type_arguments: ($) => seq($._types, list($._type), "]"),

    arguments: ($) => seq($._call, list($.argument), ")"),

    argument: ($) =>
      choice(seq("...", $._expression), seq(field("label", $.label), "=", $._expression), $._expression),

    index: ($) => seq($._postfix, $._index, $._expression, "]"),

    _primary: ($) =>
      choice(
        $.integer,
        $.float,
        $.unit,
        $.string,
        $.path,
        $.true,
        $.false,
        $.null,
        $.name,
        $.constructor,
        $.parentheses,
        $.list,
        $.record,
      ),

    true: (_) => "true",
    false: (_) => "false",
    null: (_) => "null",
    name: ($) => $._name,
    constructor: ($) => $.uname,
    parentheses: ($) => seq("(", $._expression, ")"),

    list: ($) =>
      seq(
        "[",
        choice(list(choice($.spread, $._expression)), seq(choice($.spread, $._expression), $._clauses, optional(","))),
        "]",
      ),

    spread: ($) => seq("...", $._expression),

    record: ($) => seq("{", choice(list($._entry), seq($._entry, $._clauses, optional(","))), "}"),

    _entry: ($) => choice($.spread, $.entry),

    entry: ($) =>
      choice(
        seq(field("key", $.label), optional(seq(":", field("value", $._expression)))),
        seq(field("key", choice($.string, seq("[", $._expression, "]"))), ":", field("value", $._expression)),
      ),

    _clauses: ($) => seq($.for, repeat(choice($.for, $.where))),

    for: ($) => seq("for", $._pattern, optional(seq(",", $._pattern)), "in", $._or),

    where: ($) => seq("if", $._or),

    // Types.

    _type: ($) => choice($.function_type, $.optional_type, $._single_type),

    _single_type: ($) => choice($.named_type, $.record_type, $.typeof, $.parenthesized_type),

    optional_type: ($) => seq($._single_type, repeat1(choice("?", "??"))),

    function_type: ($) => seq("(", list($._type), ")", "->", $._type),

    parenthesized_type: ($) => seq("(", $._type, ")"),

    typeof: ($) => seq("typeof", choice("(", $._call), $._expression, ")"),

    named_type: ($) =>
      seq(
        optional($._module_path),
        field("name", $.uname),
        optional(seq(choice($._types, $._index), list($._type), "]")),
        optional(seq($._call, list(choice($.integer, $.lname)), ")")),
      ),

    _module_path: ($) => repeat1(seq($.lname, ".")),

    record_type: ($) => seq("{", list(choice("..", $.type_field)), "}"),

    type_field: ($) =>
      seq(field("name", choice($.label, $.string)), optional("?"), ":", $._type, optional(seq("=", $._expression))),

    // Patterns.

    _pattern: ($) => choice($.name_pattern, $.literal_pattern, $.record_pattern, $.variant_pattern),

    name_pattern: ($) => $.lname,

    literal_pattern: ($) => choice(seq(optional("-"), $.integer), $.plain_string, $.true, $.false, $.null),

    record_pattern: ($) => seq("{", list(choice("..", $.field_pattern)), "}"),

    field_pattern: ($) => seq(field("name", $.label), optional(seq(":", $._pattern))),

    variant_pattern: ($) =>
      seq(
        repeat(seq(choice($.lname, $.uname), ".")),
        field("name", $.uname),
        optional(seq($._call, list($.argument_pattern), ")")),
      ),

    argument_pattern: ($) => seq(optional(seq(field("label", $.label), "=")), $._pattern),

    // Tokens.

    label: ($) => choice(reserved("labels", $.lname), $.uname, ...WORDS),

    lname: (_) => new RustRegex("[_\\p{XID_Start}--\\p{Uppercase}][\\p{XID_Continue}]*"),

    uname: (_) => new RustRegex("[\\p{XID_Start}&&\\p{Uppercase}][\\p{XID_Continue}]*"),

    integer: (_) => token(/0|[1-9][0-9]*(_[0-9]+)*/),

    float: (_) =>
      token(
        choice(
          /(0|[1-9][0-9]*(_[0-9]+)*)\.[0-9]+(_[0-9]+)*([eE][+-]?[0-9]+(_[0-9]+)*)?/,
          /(0|[1-9][0-9]*(_[0-9]+)*)[eE][+-]?[0-9]+(_[0-9]+)*/,
        ),
      ),

    unit: (_) =>
      token(/[0-9]+(_[0-9]+)*(\.[0-9]+(_[0-9]+)*)?([eE][+-]?[0-9]+)?(ms|s|min|h|d|B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)/),

    path: ($) => choice($._whole_path, seq($._bare_path, optional(alias($._path_string, $.string)))),

    _bare_path: (_) => token(/\.\.?\//),

    _whole_path: (_) => token(new RustRegex("\\.\\.?/[\\p{XID_Continue}\\-.+@%~/]+")),

    string: ($) => choice(seq($._quote, repeat($._content), $._quote_end), $._text),

    plain_string: ($) => seq($._quote, repeat(choice($._characters, $.escape)), $._quote_end),

    _path_string: ($) => seq($._path_quote, repeat($._content), $._quote_end),

    _text: ($) => seq($._triple_quote, repeat(choice($._triple_text, $.escape, $.interpolation)), $._triple_end),

    _content: ($) => choice($._characters, $.escape, $.interpolation),

    _quote_end: (_) => token.immediate('"'),

    _characters: (_) => choice(token.immediate(prec(1, /([^"\\$\r\n]|\$[^{"\\$\r\n])+/)), token.immediate("$")),

    escape: (_) =>
      token.immediate(
        /\\(["\\\/bfnrt$]|u([0-9a-cA-Ce-fE-F][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2}|[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\{0*(10[0-9a-fA-F]{4}|[0-9a-fA-F]{1,5})\}))/,
      ),

    interpolation: ($) => seq(token.immediate("${"), $._expression, "}"),
  },
});
