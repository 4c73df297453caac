#include "audit/syntax/tree.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <iterator>
#include <memory>
#include <string>

#include <tree_sitter/api.h>

#include "audit/syntax/comment_runs.hpp"
#include "audit/syntax/parse_memory.hpp"

extern "C" {
const TSLanguage* tree_sitter_python();
const TSLanguage* tree_sitter_powershell();
const TSLanguage* tree_sitter_bash();
const TSLanguage* tree_sitter_cuda();
const TSLanguage* tree_sitter_yaml();
const TSLanguage* tree_sitter_json();
const TSLanguage* tree_sitter_toml();
}

namespace weir::audit {
namespace {

/// CUDA's grammar extends that of C++ with kernel launches, and parses the common subset of C and C++.
const TSLanguage* parser_tables(Language language) {
  switch (language) {
    case Language::python:
      return tree_sitter_python();
    case Language::powershell:
      return tree_sitter_powershell();
    case Language::shell:
      return tree_sitter_bash();
    case Language::cpp:
      return tree_sitter_cuda();
    case Language::yaml:
      return tree_sitter_yaml();
    case Language::json:
      return tree_sitter_json();
    case Language::toml:
      return tree_sitter_toml();
  }
  return nullptr;
}

struct DeleteParser {
  void operator()(TSParser* parser) const { ts_parser_delete(parser); }
};

/// Limit of the parser's work. The parser calls exceeded() after every 100 operations. Valid texts take about two
/// operations per byte, invalid texts some tens; the limit is 40 per byte, plus two million.
struct WorkLimit {
  std::uint64_t remaining_checks;
  static bool exceeded(TSParseState* state) {
    auto* limit = static_cast<WorkLimit*>(state->payload);
    return limit->remaining_checks-- == 0;
  }
};
constexpr std::uint64_t kChecksPerTenBytes = 4;
constexpr std::uint64_t kBaseChecks = 20'000;

/// The function by which tree-sitter reads the text (`payload`) from the offset `byte` on.
const char* read_text(void* payload, std::uint32_t byte, TSPoint /*position*/, std::uint32_t* count) {
  const auto& text = *static_cast<const std::string_view*>(payload);
  *count = byte < text.size() ? static_cast<std::uint32_t>(text.size()) - byte : 0;
  return *count == 0 ? "" : text.data() + byte;
}

struct DeleteTree {
  void operator()(TSTree* tree) const { ts_tree_delete(tree); }
};

/// Returns the kind number of ERROR nodes, which make_grammar() adds after the kinds of the grammar.
std::uint16_t error_kind(const Grammar& grammar) { return static_cast<std::uint16_t>(grammar.kinds.size() - 1); }

Grammar make_grammar(Language language) {
  const TSLanguage* tables = parser_tables(language);
  Grammar grammar;
  for (std::uint32_t i = 0; i < ts_language_symbol_count(tables); ++i) {
    const auto kind = static_cast<TSSymbol>(i);
    const std::string_view name = ts_language_symbol_name(tables, kind);
    grammar.kinds.push_back(name);
    grammar.kind_infos.push_back({.named = ts_language_symbol_type(tables, kind) == TSSymbolTypeRegular,
                                  .trivia = name == "comment" || name == "line_continuation"});
  }
  grammar.kinds.emplace_back("ERROR");
  grammar.kind_infos.push_back({.named = true, .trivia = false});
  grammar.fields.emplace_back();
  for (std::uint32_t i = 1; i <= ts_language_field_count(tables); ++i)
    grammar.fields.emplace_back(ts_language_field_name_for_id(tables, static_cast<TSFieldId>(i)));
  return grammar;
}

const Grammar& grammar_of(Language language) {
  static const std::array kGrammars{make_grammar(Language::python), make_grammar(Language::powershell),
                                    make_grammar(Language::shell),  make_grammar(Language::cpp),
                                    make_grammar(Language::yaml),   make_grammar(Language::json),
                                    make_grammar(Language::toml)};
  return kGrammars.at(static_cast<std::size_t>(language));
}

Node::Record record_of(const TSTreeCursor& cursor, const Grammar& grammar, bool any_error) {
  const TSNode node = ts_tree_cursor_current_node(&cursor);
  const bool error = any_error && ts_node_is_error(node);
  const std::uint16_t kind = error ? error_kind(grammar) : ts_node_symbol(node);
  return {.begin = ts_node_start_byte(node),
          .end = ts_node_end_byte(node),
          .size = 1,
          .kind = kind,
          .field = ts_tree_cursor_current_field_id(&cursor),
          .named = grammar.kind_infos[kind].named,
          .missing = any_error && ts_node_is_missing(node),
          .error = error,
          .has_error = any_error && ts_node_has_error(node),
          .trivia = grammar.kind_infos[kind].trivia};
}

/// Copies the tree into records in one walk. The parser's own tree is then deleted, because access to its nodes is
/// slow.
std::vector<Node::Record> flattened(const TSTree& tree, const Grammar& grammar) {
  std::vector<Node::Record> records;
  records.reserve(ts_node_descendant_count(ts_tree_root_node(&tree)));
  std::vector<std::size_t> ancestors;
  TSTreeCursor cursor = ts_tree_cursor_new(ts_tree_root_node(&tree));
  const bool any_error = ts_node_has_error(ts_tree_root_node(&tree));
  do {
    records.push_back(record_of(cursor, grammar, any_error));
    if (ts_tree_cursor_goto_first_child(&cursor)) {
      ancestors.push_back(records.size() - 1);
      continue;
    }
    while (!ancestors.empty() && !ts_tree_cursor_goto_next_sibling(&cursor)) {
      ts_tree_cursor_goto_parent(&cursor);
      records[ancestors.back()].size = static_cast<std::uint32_t>(records.size() - ancestors.back());
      ancestors.pop_back();
    }
  } while (!ancestors.empty());
  ts_tree_cursor_delete(&cursor);
  return records;
}

}  // namespace

std::string_view Node::text(std::string_view source) const {
  const Range where = range();
  return where.end <= source.size() ? source.substr(where.begin, where.end - where.begin) : std::string_view{};
}

Node Node::field(std::string_view name) const {
  if (!*this) return {};
  const Record* const end = record_ + record_->size;
  for (const Record* child = record_ + 1; child != end; child += child->size) {
    if (child->field != 0 && grammar_->fields[child->field] == name) return Node{*child, *grammar_};
  }
  return {};
}

Children::Children(Node node, bool all) : grammar_{node.grammar_}, all_{all} {
  if (!node) return;
  end_ = node.record_ + node.record_->size;
  first_ = next(node.record_ + 1);
}

std::size_t Children::size() const { return static_cast<std::size_t>(std::distance(begin(), end())); }

Node Children::back() const {
  Node last;
  for (const Node child : *this) last = child;
  return last;
}

Node child_of_kind(Node node, std::string_view kind) {
  for (const Node child : named_children(node)) {
    if (child.is(kind)) return child;
  }
  return {};
}

std::optional<Range> Tree::first_error() const {
  if (!root().has_error()) return std::nullopt;
  // Descends along the leftmost path with an error; the depth of a tree is the nesting depth of its text.
  Node at = root();
  while (!at.is_error() && !at.is_missing()) {
    Node next;
    for (const Node child : all_children(at)) {
      if (!next && (child.has_error() || child.is_missing())) next = child;
    }
    if (!next) break;
    at = next;
  }
  return at.range();
}

std::vector<Tree::Leaf> Tree::leaves(std::string_view leaf_kind) const {
  std::vector<Leaf> all;
  std::vector<std::size_t> ends;  // end indices of the ancestors
  for (std::size_t i = 0; i < records_.size(); ++i) {
    while (!ends.empty() && ends.back() == i) ends.pop_back();
    const Node node{records_[i], *grammar_};
    const bool is_leaf = records_[i].size == 1 || (!leaf_kind.empty() && node.is(leaf_kind));
    if (is_leaf) {
      all.push_back({node, static_cast<int>(ends.size())});
      i += records_[i].size - 1;
    } else {
      ends.push_back(i + records_[i].size);
    }
  }
  return all;
}

Result<Tree> parse(Language language, std::string_view text) {
  const ParseMemory memory;  // must be destroyed after all objects of the parser
  const std::unique_ptr<TSParser, DeleteParser> parser{ts_parser_new()};
  const bool fits = ts_parser_set_language(parser.get(), parser_tables(language));
  assert(fits);
  (void)fits;
  WorkLimit limit{kBaseChecks + kChecksPerTenBytes * text.size() / 10};
  const auto without_comment_runs = language == Language::python ? blank_long_comment_runs(text) : std::nullopt;
  std::string_view parsed_text = without_comment_runs ? std::string_view{*without_comment_runs} : text;
  const TSInput input{&parsed_text, read_text, TSInputEncodingUTF8, nullptr};
  const TSParseOptions options{&limit, WorkLimit::exceeded};
  const std::unique_ptr<TSTree, DeleteTree> parsed{ts_parser_parse_with_options(parser.get(), nullptr, input, options)};
  if (!parsed) return Error{Errc::unsupported, "takes too much work to parse for its length"};
  Tree tree;
  tree.grammar_ = &grammar_of(language);
  tree.records_ = flattened(*parsed, *tree.grammar_);
  return tree;
}

std::vector<Range> Tree::comments() const {
  std::vector<Range> comments;
  for (const Leaf& leaf : leaves())
    if (leaf.node.kind().find("comment") != std::string_view::npos) comments.push_back(leaf.node.range());
  return comments;
}

bool contains_byte(const std::vector<Range>& ranges, std::uint32_t byte) {
  const auto next = std::upper_bound(ranges.begin(), ranges.end(), byte,
                                     [](std::uint32_t at, Range range) { return at < range.begin; });
  return next != ranges.begin() && byte < std::prev(next)->end;
}

}  // namespace weir::audit
