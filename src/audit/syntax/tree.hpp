#pragma once

#include <cstdint>
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
  bool holds(Range other) const { return begin <= other.begin && other.end <= end; }
};

/// What has a grammar here.
enum class Language { python, powershell, shell, cpp, yaml, json, toml };

/// The names of a grammar's kinds and fields, for the numbers that stand in trees.
struct Grammar {
  std::vector<std::string_view> kinds;
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

  /// Calls use(child) for each child, also those without a name ("=", "not").
  template <class Use>
  void for_each_child(Use use) const {
    if (!*this) return;
    const Record* const end = record_ + record_->size;
    for (const Record* child = record_ + 1; child != end; child += child->size) use(Node{*child, *grammar_});
  }

 private:
  friend std::vector<Node> named_children(Node node);

  const Record* record_ = nullptr;
  const Grammar* grammar_ = nullptr;
};

/// The named children, comments left out.
std::vector<Node> named_children(Node node);
/// All children, also those without a name ("=", "not").
std::vector<Node> all_children(Node node);
/// The first named child of this kind; null if there is none.
Node child_of_kind(Node node, std::string_view kind);

/// A parsed text. Read-only once made; any thread may ask.
class Tree {
 public:
  Node root() const { return Node{records_.front(), *grammar_}; }
  /// The first place that the grammar did not understand; none if all of it was.
  std::optional<Range> first_error() const;
  /// The nodes without children, with the number of nodes above each.
  struct Leaf {
    Node node;
    int depth;
  };
  std::vector<Leaf> leaves() const;

 private:
  friend Result<Tree> parse(Language language, std::string_view text);
  std::vector<Node::Record> records_;
  const Grammar* grammar_ = nullptr;
};

/// Parses UTF-8 text; one that is wrong still gives a tree, with errors in it. Work is bounded by the length of the text.
/// Errors: unsupported, when the text takes more work than any text of its length should.
Result<Tree> parse(Language language, std::string_view text);

}  // namespace weir::audit
