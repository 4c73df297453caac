#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "audit/syntax/tree.hpp"

namespace weir::audit {

/// Finds the targets of the aliases ("*name") of a YAML file: an alias stands for the node with the anchor "&name". If
/// there are several such anchors, the last one above the alias in the same document counts. Files in other languages
/// have no anchors. Read-only after construction; valid as long as tree and text.
class YamlAnchors {
 public:
  YamlAnchors() = default;
  YamlAnchors(Node root, std::string_view text);

  /// Returns whether the file is YAML; only then are there anchors.
  bool is_yaml() const { return is_yaml_; }
  /// Returns the alias node if the node is an alias or wraps one; null otherwise.
  static Node find_alias(Node node);
  /// Returns the content of a node without its anchor and tag; for an alias, the content of the target. Null for an
  /// alias without a target, or with a target that contains the alias itself.
  Node content(Node node) const;
  /// Returns whether an anchor begins in the range `where`.
  bool has_anchor_in(Range where) const;
  /// Returns whether the node is an alias or has an anchor, so that its content may belong to several places.
  static bool is_shared(Node node);

 private:
  struct Anchor {
    Node node;               ///< the node, its anchor included
    std::uint32_t document;  ///< number of the document that contains it
  };
  Node target(Node alias) const;
  std::uint32_t document_of(std::uint32_t byte) const;

  std::string_view text_;
  bool is_yaml_ = false;
  std::vector<std::uint32_t> document_starts_;  ///< byte offset of the start of each document, ascending
  std::map<std::string_view, std::vector<Anchor>> by_name_;
  std::vector<std::uint32_t> anchor_offsets_;  ///< byte offsets of the starts of all anchors, ascending
};

}  // namespace weir::audit
