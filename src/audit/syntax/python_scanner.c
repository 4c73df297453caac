// Python's own scanner looks, at the end of each line, over all comments below for the next line of code: n lines of comments cost it
// n * n lines. Here it is shown, behind the first of those comments, the end of the last one that it went over before.

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "lexer.h"

const TSLanguage* tree_sitter_python(void);
/// Python's grammar with this scanner. To be called once.
const TSLanguage* weir_python(void);

static const TSLanguage* grammar;  ///< as it was made

/// One for each parser. From all line ends in [begin, end) of its text the scanner comes to `end`: nothing but comments and blanks
/// stand between.
typedef struct {
  void* inner;
  uint32_t begin, end;
} Scanner;

/// What the scanner reads from: the parser's lexer up to the first comment, from there the text.
typedef struct {
  TSLexer data;  ///< first: the scanner knows this part
  Lexer* real;
  Scanner* scanner;
  const char* text;  ///< null: the lexer
  uint32_t at, end;
} View;

static void show(View* view) { view->data.lookahead = view->at < view->end ? (unsigned char)view->text[view->at] : 0; }

/// Behind the comments and blanks that begin at this byte, at the last line end before code; `at` itself if there is none.
static uint32_t behind_comments(const char* text, uint32_t at, uint32_t end) {
  uint32_t last = at;
  bool comment = true;
  for (; at < end; ++at) {
    const char byte = text[at];
    if (byte == '\n') {
      last = at;
      comment = false;
    } else if (byte == '#') {
      comment = true;
    } else if (byte == '\0') {
      break;
    } else if (!comment && byte != ' ' && byte != '\t' && byte != '\r' && byte != '\f') {
      break;
    }
  }
  return last;
}

static void advance(TSLexer* lexer, bool skip) {
  View* const view = (View*)lexer;
  Lexer* const real = view->real;
  if (view->text != NULL) {
    ++view->at;
    return show(view);
  }
  const bool at_comment = skip && lexer->lookahead == '#';
  const uint32_t byte = real->current_position.bytes;
  real->data.advance(&real->data, skip);
  lexer->lookahead = real->data.lookahead;
  const uint32_t chunk_end = real->chunk_start + real->chunk_size;
  if (!at_comment || real->chunk == NULL || byte < real->chunk_start || byte >= chunk_end) return;
  Scanner* const known = view->scanner;
  // The reader gives all of the text in one piece.
  const char* const text = real->chunk - real->chunk_start;
  if (byte < known->begin || byte >= known->end) {
    known->begin = byte;
    known->end = behind_comments(text, byte, chunk_end);
  }
  if (known->end <= byte) return;
  view->text = text;
  view->at = known->end;
  view->end = chunk_end;
  show(view);
}

static void mark_end(TSLexer* lexer) {
  View* const view = (View*)lexer;
  if (view->text == NULL) view->real->data.mark_end(&view->real->data);
}

static uint32_t get_column(TSLexer* lexer) {
  View* const view = (View*)lexer;
  return view->real->data.get_column(&view->real->data);
}

static bool is_at_included_range_start(const TSLexer* lexer) {
  const View* const view = (const View*)lexer;
  return view->real->data.is_at_included_range_start(&view->real->data);
}

static bool eof(const TSLexer* lexer) {
  const View* const view = (const View*)lexer;
  return view->text != NULL ? view->at >= view->end : view->real->data.eof(&view->real->data);
}

static bool scan(void* payload, TSLexer* lexer, const bool* valid) {
  enum { kIndent = 1, kStringContent = 4 };  // of the grammar's external tokens
  Scanner* const scanner = payload;
  const bool in_string = valid[kStringContent] && !valid[kIndent];
  if (lexer->lookahead != '\n' || in_string) return grammar->external_scanner.scan(scanner->inner, lexer, valid);
  View view = {.data = *lexer, .real = (Lexer*)lexer, .scanner = scanner};
  view.data.advance = advance;
  view.data.mark_end = mark_end;
  view.data.get_column = get_column;
  view.data.is_at_included_range_start = is_at_included_range_start;
  view.data.eof = eof;
  const bool found = grammar->external_scanner.scan(scanner->inner, &view.data, valid);
  lexer->result_symbol = view.data.result_symbol;
  return found;
}

static void* create(void) {
  Scanner* const scanner = calloc(1, sizeof(Scanner));
  scanner->inner = grammar->external_scanner.create();
  return scanner;
}

static void destroy(void* payload) {
  Scanner* const scanner = payload;
  grammar->external_scanner.destroy(scanner->inner);
  free(scanner);
}

static unsigned serialize(void* payload, char* buffer) {
  return grammar->external_scanner.serialize(((Scanner*)payload)->inner, buffer);
}

static void deserialize(void* payload, const char* buffer, unsigned length) {
  grammar->external_scanner.deserialize(((Scanner*)payload)->inner, buffer, length);
}

const TSLanguage* weir_python(void) {
  static TSLanguage own;
  grammar = tree_sitter_python();
  own = *grammar;
  own.external_scanner.create = create;
  own.external_scanner.destroy = destroy;
  own.external_scanner.scan = scan;
  own.external_scanner.serialize = serialize;
  own.external_scanner.deserialize = deserialize;
  return &own;
}
