#include "audit/syntax/tree.hpp"

#include <cassert>
#include <string>

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

/// CUDA's grammar is that of C++ with launches, and reads C where C is also C++.
const TSLanguage* grammar(Language language) {
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

/// The parser asks after every 100 operations. Right texts take about two operations a byte, broken ones some tens.
struct WorkLimit {
  std::uint64_t questions;
  static bool exceeded(TSParseState* state) {
    auto* limit = static_cast<WorkLimit*>(state->payload);
    return limit->questions-- == 0;
  }
};
constexpr std::uint64_t kQuestionsPerByte = 4;
constexpr std::uint64_t kQuestionsAtLeast = 20'000;

const char* read_text(void* payload, std::uint32_t byte, TSPoint /*position*/, std::uint32_t* count) {
  const auto& text = *static_cast<const std::string_view*>(payload);
  *count = byte < text.size() ? static_cast<std::uint32_t>(text.size()) - byte : 0;
  return *count == 0 ? "" : text.data() + byte;
}

template <class Use>
void for_each_child(Node node, Use use) {
  if (!node) return;
  TSTreeCursor cursor = ts_tree_cursor_new(node.raw());
  if (ts_tree_cursor_goto_first_child(&cursor)) {
    do use(Node{ts_tree_cursor_current_node(&cursor)});
    while (ts_tree_cursor_goto_next_sibling(&cursor));
  }
  ts_tree_cursor_delete(&cursor);
}

}  // namespace

std::string_view Node::text(std::string_view source) const {
  const Range where = range();
  return where.end <= source.size() ? source.substr(where.begin, where.end - where.begin) : std::string_view{};
}

Node Node::field(std::string_view name) const {
  if (!*this) return {};
  return Node{ts_node_child_by_field_name(node_, name.data(), static_cast<std::uint32_t>(name.size()))};
}

std::vector<Node> named_children(Node node) {
  std::vector<Node> children;
  for_each_child(node, [&](Node child) {
    if (child.is_named() && !child.is("comment") && !child.is("line_continuation")) children.push_back(child);
  });
  return children;
}

std::vector<Node> all_children(Node node) {
  std::vector<Node> children;
  for_each_child(node, [&](Node child) { children.push_back(child); });
  return children;
}

Node child_of_kind(Node node, std::string_view kind) {
  for (const Node child : named_children(node)) {
    if (child.is(kind)) return child;
  }
  return {};
}

std::optional<Range> Tree::first_error() const {
  if (!root().has_error()) return std::nullopt;
  // Down the leftmost path with an error; a tree is as deep as its text is nested.
  Node at = root();
  while (!at.is_error() && !at.is_missing()) {
    Node next;
    for_each_child(at, [&](Node child) {
      if (!next && (child.has_error() || child.is_missing())) next = child;
    });
    if (!next) break;
    at = next;
  }
  return at.range();
}

Result<Tree> parse(Language language, std::string_view text) {
  const std::unique_ptr<TSParser, DeleteParser> parser{ts_parser_new()};
  const bool fits = ts_parser_set_language(parser.get(), grammar(language));
  assert(fits);
  (void)fits;
  WorkLimit limit{kQuestionsAtLeast + kQuestionsPerByte * text.size() / 10};
  const TSInput input{&text, read_text, TSInputEncodingUTF8, nullptr};
  const TSParseOptions options{&limit, WorkLimit::exceeded};
  Tree tree;
  tree.tree_.reset(ts_parser_parse_with_options(parser.get(), nullptr, input, options));
  if (!tree.tree_) return Error{Errc::unsupported, "takes more work to parse than any text of its length should"};
  return tree;
}

}  // namespace weir::audit
