// What depends on line breaks and on what lies ahead: the beginnings of items, brackets that continue an expression, `-`
// between operands, and strings, which end on their line.

#include "tree_sitter/alloc.h"
#include "tree_sitter/parser.h"
#include <wctype.h>

enum Token { LINE, CALL, INDEX, TYPES, MINUS, QUOTE, PATH_QUOTE, TRIPLE_QUOTE, TRIPLE_TEXT, TRIPLE_END, NEVER };

// Whether something was read: the first token of a file begins a line.
typedef struct {
  bool started;
} Scanner;

void *tree_sitter_mlp_external_scanner_create(void) { return ts_calloc(1, sizeof(Scanner)); }

void tree_sitter_mlp_external_scanner_destroy(void *payload) { ts_free(payload); }

unsigned tree_sitter_mlp_external_scanner_serialize(void *payload, char *buffer) {
  buffer[0] = ((Scanner *)payload)->started;
  return 1;
}

void tree_sitter_mlp_external_scanner_deserialize(void *payload, const char *buffer, unsigned length) {
  ((Scanner *)payload)->started = length > 0 && buffer[0];
}

static bool is_space(int32_t c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static bool is_word(int32_t c) { return c == '_' || iswalnum(c) || c > 0x7f; }

static void advance(TSLexer *lexer) { lexer->advance(lexer, false); }

static bool at_end(TSLexer *lexer) { return lexer->eof(lexer); }

// From behind `"`: whether the string ends on its line, with all that is interpolated.
static bool string_ends(TSLexer *lexer, int depth) {
  while (!at_end(lexer) && lexer->lookahead != '\n') {
    int32_t c = lexer->lookahead;
    advance(lexer);
    if (c == '"') return true;
    if (c == '\\') {
      if (!at_end(lexer) && lexer->lookahead != '\n') advance(lexer);
    } else if (c == '$' && lexer->lookahead == '{') {
      advance(lexer);
      int braces = 1;
      while (braces > 0) {
        if (at_end(lexer) || lexer->lookahead == '\n' || depth > 32) return false;
        int32_t inner = lexer->lookahead;
        advance(lexer);
        if (inner == '{') braces++;
        if (inner == '}') braces--;
        if (inner == '"' && !string_ends(lexer, depth + 1)) return false;
      }
    }
  }
  return false;
}

// From behind `"""`: whether the text begins on the next line, and ends.
static bool text_ends(TSLexer *lexer) {
  while (lexer->lookahead == ' ' || lexer->lookahead == '\t' || lexer->lookahead == '\r') advance(lexer);
  if (lexer->lookahead != '\n') return false;
  int braces = 0;
  while (!at_end(lexer)) {
    int32_t c = lexer->lookahead;
    advance(lexer);
    if (c == '\\' && !at_end(lexer) && lexer->lookahead != '\n') {
      advance(lexer);
    } else if (c == '$' && lexer->lookahead == '{') {
      advance(lexer);
      braces++;
    } else if (c == '}' && braces > 0) {
      braces--;
    } else if (c == '"' && braces == 0 && lexer->lookahead == '"') {
      advance(lexer);
      if (lexer->lookahead == '"') return true;
    }
  }
  return false;
}

// Whether a token that can begin an item or a value is ahead, at the beginning of a line; without it the expression
// before goes on.
static bool begins_line(TSLexer *lexer) {
  int32_t c = lexer->lookahead;
  if (at_end(lexer)) return false;
  if (iswdigit(c) || c == '"' || c == '(' || c == '[' || c == '{') return true;
  if (c == '-') {
    advance(lexer);
    return !is_space(lexer->lookahead) && lexer->lookahead != '>' && lexer->lookahead != '#';
  }
  if (c == '.') {
    advance(lexer);
    if (lexer->lookahead == '.') advance(lexer);
    return lexer->lookahead == '/';
  }
  if (!is_word(c)) return false;
  static const char *const continuing[] = {"and", "or", "then", "else", "for", "as"};
  char word[6] = {0};
  unsigned length = 0;
  while (!at_end(lexer) && is_word(lexer->lookahead)) {
    if (length < sizeof(word) - 1) word[length] = lexer->lookahead < 0x80 ? (char)lexer->lookahead : '?';
    length++;
    advance(lexer);
  }
  for (unsigned i = 0; i < sizeof(continuing) / sizeof(*continuing); i++) {
    const char *other = continuing[i];
    unsigned at = 0;
    while (other[at] != 0 && other[at] == word[at]) at++;
    if (other[at] == 0 && at == length) {
      if (other[0] != 'a' || other[1] != 's') return false;
      // `as = 1` binds a name.
      while (lexer->lookahead == ' ') advance(lexer);
      return lexer->lookahead == '=' || lexer->lookahead == ':';
    }
  }
  return true;
}

static bool triple_text(TSLexer *lexer, const bool *valid) {
  bool some = false;
  while (!at_end(lexer)) {
    int32_t c = lexer->lookahead;
    lexer->mark_end(lexer);
    if (c == '\\') break;
    if (c == '$') {
      advance(lexer);
      if (lexer->lookahead == '{') break;
    } else if (c == '"') {
      advance(lexer);
      if (lexer->lookahead == '"') {
        advance(lexer);
        if (lexer->lookahead == '"') {
          if (some || !valid[TRIPLE_END]) break;
          advance(lexer);
          lexer->mark_end(lexer);
          lexer->result_symbol = TRIPLE_END;
          return true;
        }
      }
    } else {
      advance(lexer);
    }
    some = true;
  }
  lexer->result_symbol = TRIPLE_TEXT;
  return some && valid[TRIPLE_TEXT];
}

static bool quote(TSLexer *lexer, const bool *valid, bool spaced) {
  advance(lexer);
  lexer->mark_end(lexer);
  if (lexer->lookahead == '"') {
    advance(lexer);
    if (lexer->lookahead != '"') {
      // `""`, an empty string.
      lexer->result_symbol = valid[PATH_QUOTE] && !spaced ? PATH_QUOTE : QUOTE;
      return valid[lexer->result_symbol];
    }
    advance(lexer);
    lexer->mark_end(lexer);
    lexer->result_symbol = TRIPLE_QUOTE;
    return valid[TRIPLE_QUOTE] && text_ends(lexer);
  }
  lexer->result_symbol = valid[PATH_QUOTE] && !spaced ? PATH_QUOTE : QUOTE;
  return valid[lexer->result_symbol] && string_ends(lexer, 0);
}

// A `-` at the beginning of a line is a sign if it touches its operand, and stands between operands if it does not.
static bool dash(TSLexer *lexer, const bool *valid, bool line, Scanner *scanner) {
  advance(lexer);
  bool glued = !is_space(lexer->lookahead) && lexer->lookahead != '#';
  if (lexer->lookahead == '>') return false;
  if (line && (glued || !valid[MINUS])) {
    lexer->result_symbol = LINE;
    scanner->started = scanner->started || valid[LINE];
    return valid[LINE] && glued;
  }
  lexer->mark_end(lexer);
  lexer->result_symbol = MINUS;
  return valid[MINUS];
}

bool tree_sitter_mlp_external_scanner_scan(void *payload, TSLexer *lexer, const bool *valid) {
  Scanner *scanner = payload;
  // In recovery all are valid, and nothing can be said.
  if (valid[NEVER]) return false;
  if (valid[TRIPLE_TEXT] || valid[TRIPLE_END]) return triple_text(lexer, valid);

  lexer->mark_end(lexer);
  bool line = !scanner->started, spaced = false;
  while (is_space(lexer->lookahead)) {
    if (lexer->lookahead == '\n') line = true;
    spaced = true;
    lexer->advance(lexer, true);
  }
  if (lexer->lookahead == '-' && (valid[LINE] || valid[MINUS])) return dash(lexer, valid, line, scanner);
  if (valid[LINE]) {
    // Comments stand between lines, and belong to none.
    bool comments = lexer->lookahead == '#';
    while (lexer->lookahead == '#') {
      while (!at_end(lexer) && lexer->lookahead != '\n') advance(lexer);
      while (is_space(lexer->lookahead)) {
        if (lexer->lookahead == '\n') line = true;
        advance(lexer);
      }
    }
    if (line) {
      if (!begins_line(lexer)) return false;
      scanner->started = true;
      lexer->result_symbol = LINE;
      return true;
    }
    if (comments) return false;
  }
  switch (lexer->lookahead) {
  case '(':
    if (line || !valid[CALL]) return false;
    advance(lexer);
    lexer->mark_end(lexer);
    lexer->result_symbol = CALL;
    return true;
  case '[':
    if (line || !(valid[INDEX] || valid[TYPES])) return false;
    advance(lexer);
    lexer->mark_end(lexer);
    while (is_space(lexer->lookahead)) advance(lexer);
    bool types = lexer->lookahead == '{' || iswupper(lexer->lookahead);
    lexer->result_symbol = valid[TYPES] && (types || !valid[INDEX]) ? TYPES : INDEX;
    return valid[lexer->result_symbol];
  case '"':
    return quote(lexer, valid, spaced);
  default:
    return false;
  }
}
