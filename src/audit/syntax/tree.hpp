#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace weir::audit {

/// Bytes [begin, end) of one file.
struct Range {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  bool operator==(const Range&) const = default;
  bool empty() const { return begin == end; }
  bool contains(Range other) const { return begin <= other.begin && other.end <= end; }
};

/// What has a grammar here.
enum class Language { python, powershell, shell, cpp, yaml, json, toml };

/// What the numbers that stand in trees mean: a grammar's kinds and fields.
struct Grammar {
  struct KindInfo {
    bool named;   ///< not only a piece of text such as "=" or "not"
    bool trivia;  ///< a comment, a line's continuation
  };
  std::vector<std::string_view> kinds;
  std::vector<KindInfo> kind_infos;  ///< of the kinds
  std::vector<std::string_view> fields;
};

/// One node of a tree; valid as long as its Tree. A null node answers every question with nothing.
class Node {
 public:
  /// A node as it is kept: a tree is its nodes in the order of the text, parents first.
  struct Record {
    std::uint32_t begin, end;
    std::uint32_t size;  ///< records of the node and all below it
    std::uint16_t kind, field;
    bool named : 1, missing : 1, error : 1, has_error : 1, trivia : 1;
  };

  Node() = default;
  Node(const Record& record, const Grammar& grammar) : record_{&record}, grammar_{&grammar} {}

  explicit operator bool() const { return record_ != nullptr; }
  std::string_view kind() const { return *this ? grammar_->kinds[record_->kind] : std::string_view{}; }
  bool is(std::string_view kind_name) const { return kind() == kind_name; }
  Range range() const { return *this ? Range{record_->begin, record_->end} : Range{}; }
  std::string_view text(std::string_view source) const;
  /// The first child that has this field's name.
  Node field(std::string_view name) const;
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

/// The children of a node in their order, made while one goes through them; valid as long as the tree.
class Children {
 public:
  /// `all`: also comments and those without a name ("=", "not").
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
  std::size_t size() const;  ///< counts them
  Node front() const { return empty() ? Node{} : *begin(); }
  Node back() const;  ///< null if there is none; goes through all

 private:
  /// This record or the first behind it that is wanted.
  const Node::Record* next(const Node::Record* at) const {
    while (at != end_ && !all_ && (!at->named || at->trivia)) at += at->size;
    return at;
  }

  const Grammar* grammar_;
  bool all_;
  const Node::Record* end_ = nullptr;
  const Node::Record* first_ = nullptr;
};

/// The named children, comments left out.
inline Children named_children(Node node) { return {node, false}; }
/// All children, also those without a name ("=", "not").
inline Children all_children(Node node) { return {node, true}; }
/// The first named child of this kind; null if there is none.
Node child_of_kind(Node node, std::string_view kind);

/// A parsed text. Read-only once made; any thread may ask.
class Tree {
 public:
  Node root() const { return Node{records_.front(), *grammar_}; }
  /// The first place that the grammar did not understand; none if all of it was.
  std::optional<Range> first_error() const;
  /// The nodes without children, with the number of nodes above each. A node of the kind `whole` counts as one.
  struct Leaf {
    Node node;
    int depth;
  };
  std::vector<Leaf> leaves(std::string_view leaf_kind = {}) const;
  /// The comments, in their order.
  std::vector<Range> comments() const;

 private:
  friend Result<Tree> parse(Language language, std::string_view text);
  std::vector<Node::Record> records_;
  const Grammar* grammar_ = nullptr;
};

/// One of these ranges, which are in their order and do not overlap, holds the byte.
bool contains_byte(const std::vector<Range>& ranges, std::uint32_t byte);

/// Parses UTF-8 text; one that is wrong still gives a tree, with errors in it. Work is bounded by the length of the text.
/// Errors: unsupported, when the text takes more work than any text of its length should.
Result<Tree> parse(Language language, std::string_view text);

}  // namespace weir::audit
