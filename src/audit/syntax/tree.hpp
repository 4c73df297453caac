#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include <tree_sitter/api.h>

#include "base/result.hpp"

namespace weir::audit {

/// Bytes [begin, end) of one file.
struct Range {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  bool operator==(const Range&) const = default;
  bool empty() const { return begin == end; }
  bool holds(Range other) const { return begin <= other.begin && other.end <= end; }
};

/// What has a grammar here.
enum class Language { python, powershell, shell, cpp, yaml, json, toml };

/// One node of a tree; valid as long as its Tree. A null node answers every question with nothing.
class Node {
 public:
  Node() = default;
  explicit Node(TSNode node) : node_{node} {}

  explicit operator bool() const { return node_.id != nullptr && !ts_node_is_null(node_); }
  std::string_view kind() const { return *this ? std::string_view{ts_node_type(node_)} : std::string_view{}; }
  bool is(std::string_view kind_name) const { return kind() == kind_name; }
  Range range() const { return *this ? Range{ts_node_start_byte(node_), ts_node_end_byte(node_)} : Range{}; }
  std::string_view text(std::string_view source) const;
  Node field(std::string_view name) const;
  Node first_child() const { return *this ? Node{ts_node_child(node_, 0)} : Node{}; }
  bool is_named() const { return *this && ts_node_is_named(node_); }
  bool is_missing() const { return *this && ts_node_is_missing(node_); }
  bool has_error() const { return *this && ts_node_has_error(node_); }
  bool is_error() const { return *this && ts_node_is_error(node_); }
  TSNode raw() const { return node_; }

 private:
  TSNode node_{};
};

/// The named children, comments left out. Linear in their number, unlike asking for them one by one.
std::vector<Node> named_children(Node node);
/// All children, also those without a name ("=", "not").
std::vector<Node> all_children(Node node);
/// The first named child of this kind; null if there is none.
Node child_of_kind(Node node, std::string_view kind);

/// A parsed text. The text must outlive it. Not thread-safe while it is made; afterwards any thread may read it.
class Tree {
 public:
  Node root() const { return Node{ts_tree_root_node(tree_.get())}; }
  /// The first place that the grammar did not understand; none if all of it was.
  std::optional<Range> first_error() const;

 private:
  friend Result<Tree> parse(Language language, std::string_view text);
  struct Delete {
    void operator()(TSTree* tree) const { ts_tree_delete(tree); }
  };
  std::unique_ptr<TSTree, Delete> tree_;
};

/// Parses UTF-8 text; one that is wrong still gives a tree, with errors in it. Work is bounded by the length of the text.
/// Errors: unsupported, when the text takes more work than any text of its length should.
Result<Tree> parse(Language language, std::string_view text);

}  // namespace weir::audit
