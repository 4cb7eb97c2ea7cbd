(comment) @comment

[(integer) (float)] @number
(unit) @number
[(true) (false)] @boolean
(null) @constant.builtin
[(string) (plain_string)] @string
(escape) @string.escape
(interpolation ["${" "}"] @punctuation.special)
(path) @string.special

(function name: (lname) @function)
(call function: (name (lname) @function.call))
(call function: (field name: (label) @function.call))
(parameter label: (label) @variable.parameter)
(lambda_parameter) @variable.parameter
(argument label: (label) @variable.parameter)

(binding name: (lname) @variable)
(param name: (lname) @variable)
(let (name_pattern) @variable)
(entry key: (label) @property)
(field name: (label) @property)
(type_field name: (label) @property)

(type_item name: (uname) @type.definition)
(enum_item name: (uname) @type.definition)
(named_type name: (uname) @type)
(type_parameters (uname) @type)
(variant name: (uname) @constructor)
(constructor) @constructor
(variant_pattern name: (uname) @constructor)

["import" "as"] @keyword.import
["param" "type" "enum" "let" "typeof"] @keyword
"fn" @keyword.function
["if" "then" "else" "match"] @keyword.conditional
["for" "in"] @keyword.repeat
["and" "or" "not"] @keyword.operator

["+" "-" "*" "/" "//" "%" "**" "==" "!=" "<" "<=" ">" ">=" "??" "|>" "=>" "->" "=" "..." ".."] @operator
["," "." ":"] @punctuation.delimiter
["(" ")" "[" "]" "{" "}"] @punctuation.bracket
