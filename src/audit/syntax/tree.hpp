#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace weir::audit {

/// The bytes [begin, end) of one file.
struct Range {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  bool operator==(const Range&) const = default;
  bool empty() const { return begin == end; }
  /// Returns whether the other range lies within this one.
  bool contains(Range other) const { return begin <= other.begin && other.end <= end; }
};

/// The languages that have a grammar.
enum class Language { python, powershell, shell, cpp, yaml, json, toml };

/// The node kinds and fields of the grammar of a language. A tree stores them as indices into these vectors.
struct Grammar {
  struct KindInfo {
    bool named;   ///< a node with a name in the grammar, not only a token such as "=" or "not"
    bool trivia;  ///< a comment or a line continuation
  };
  std::vector<std::string_view> kinds;   ///< names such as "if_statement", or the text of a token
  std::vector<KindInfo> kind_infos;      ///< one per entry of `kinds`
  std::vector<std::string_view> fields;  ///< roles of children, such as "condition"; the first one is empty: no field
};

/// One node of a syntax tree; valid as long as its Tree. All functions of a null node return empty values.
class Node {
 public:
  /// A stored node. A tree is the array of its nodes in text order, parents first.
  struct Record {
    std::uint32_t begin, end;   ///< byte offsets in the text
    std::uint32_t size;         ///< number of records of the node and all its descendants
    std::uint16_t kind, field;  ///< indices into Grammar::kinds and Grammar::fields
    /// `missing`: the parser inserted the node; `error`: the text does not parse here; `has_error`: the node or a
    /// descendant is missing or an error
    bool named : 1, missing : 1, error : 1, has_error : 1, trivia : 1;
  };

  Node() = default;
  Node(const Record& record, const Grammar& grammar) : record_{&record}, grammar_{&grammar} {}

  explicit operator bool() const { return record_ != nullptr; }
  std::string_view kind() const { return *this ? grammar_->kinds[record_->kind] : std::string_view{}; }
  bool is(std::string_view kind_name) const { return kind() == kind_name; }
  Range range() const { return *this ? Range{record_->begin, record_->end} : Range{}; }
  /// Returns the node's part of the source text.
  std::string_view text(std::string_view source) const;
  /// Returns the first child with this field name; null if there is none.
  Node field(std::string_view name) const;
  /// Returns the first child, which may be unnamed or a comment; null if there is none.
  Node first_child() const { return *this && record_->size > 1 ? Node{record_[1], *grammar_} : Node{}; }
  bool is_named() const { return *this && record_->named; }
  bool is_missing() const { return *this && record_->missing; }
  bool has_error() const { return *this && record_->has_error; }
  bool is_error() const { return *this && record_->error; }

 private:
  friend class Children;

  const Record* record_ = nullptr;
  const Grammar* grammar_ = nullptr;
};

/// The children of a node in order, which are found during iteration; valid as long as the tree.
class Children {
 public:
  /// With `all`, comments and unnamed nodes ("=", "not") are included.
  Children(Node node, bool all);

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Node;
    using difference_type = std::ptrdiff_t;
    using pointer = const Node*;
    using reference = Node;

    Node operator*() const { return Node{*record_, *children_->grammar_}; }
    Iterator& operator++() {
      record_ = children_->next(record_ + record_->size);
      return *this;
    }
    bool operator==(const Iterator& other) const { return record_ == other.record_; }

   private:
    friend class Children;
    Iterator(const Children& children, const Node::Record* at) : children_{&children}, record_{at} {}
    const Children* children_;
    const Node::Record* record_;
  };

  Iterator begin() const { return {*this, first_}; }
  Iterator end() const { return {*this, end_}; }
  bool empty() const { return first_ == end_; }
  std::vector<Node> to_vector() const { return {begin(), end()}; }
  std::size_t size() const;  ///< takes linear time
  Node front() const { return empty() ? Node{} : *begin(); }
  Node back() const;  ///< the last child; null if there is none; takes linear time

 private:
  /// Returns the first record from `at` on, among the siblings, that belongs to the iteration.
  const Node::Record* next(const Node::Record* at) const {
    while (at != end_ && !all_ && (!at->named || at->trivia)) at += at->size;
    return at;
  }

  const Grammar* grammar_;
  bool all_;
  const Node::Record* end_ = nullptr;
  const Node::Record* first_ = nullptr;
};

/// Returns the named children without comments.
inline Children named_children(Node node) { return {node, false}; }
/// Returns all children, unnamed ones ("=", "not") included.
inline Children all_children(Node node) { return {node, true}; }
/// Returns the first named child of this kind; null if there is none.
Node child_of_kind(Node node, std::string_view kind);

/// A parsed text. Read-only after construction; thread-safe.
class Tree {
 public:
  /// Returns the root node.
  Node root() const { return Node{records_.front(), *grammar_}; }
  /// Returns the range of the first syntax error; empty if there is none.
  std::optional<Range> first_error() const;
  /// A node without children, and the number of its ancestors.
  struct Leaf {
    Node node;
    int depth;
  };
  /// Returns the nodes without children, in text order. A node of the kind `leaf_kind` counts as one leaf, even if it
  /// has children.
  std::vector<Leaf> leaves(std::string_view leaf_kind = {}) const;
  /// Returns the comments, in order.
  std::vector<Range> comments() const;

 private:
  friend Result<Tree> parse(Language language, std::string_view text);
  std::vector<Node::Record> records_;
  const Grammar* grammar_ = nullptr;
};

/// Returns whether one of the ranges, which are sorted and do not overlap, contains the byte offset.
bool contains_byte(const std::vector<Range>& ranges, std::uint32_t byte);

/// Parses UTF-8 text; text with syntax errors gives a tree with error nodes. The work is limited in proportion to the
/// length of the text. Errors: unsupported, when parsing needs more work than that.
Result<Tree> parse(Language language, std::string_view text);

}  // namespace weir::audit
