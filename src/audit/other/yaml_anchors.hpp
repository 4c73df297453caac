#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "audit/syntax/tree.hpp"

namespace weir::audit {

/// The anchors of a YAML file ("&name") and what its aliases ("*name") stand for: the last anchor of that name above them, in the
/// same document. Of other languages there are none. Read-only once made; valid as long as tree and text.
class YamlAnchors {
 public:
  YamlAnchors() = default;
  YamlAnchors(Node root, std::string_view text);

  bool is_yaml() const { return is_yaml_; }
  /// The alias that a node is; null if it is none.
  static Node find_alias(Node node);
  /// What a node holds, without anchor and tag; of an alias, what it stands for. Null for one that stands for nothing, or for
  /// something that it is a part of.
  Node content(Node node) const;
  /// An anchor begins there.
  bool has_anchor_in(Range where) const;
  /// It is an alias, or has an anchor: what it holds may belong to several places.
  static bool is_shared(Node node);

 private:
  struct Anchor {
    Node node;  ///< with the anchor
    std::uint32_t document;
  };
  Node target(Node alias) const;
  std::uint32_t document_of(std::uint32_t byte) const;

  std::string_view text_;
  bool is_yaml_ = false;
  std::vector<std::uint32_t> document_starts_;  ///< where each begins
  std::map<std::string_view, std::vector<Anchor>> by_name_;
  std::vector<std::uint32_t> anchor_offsets_;  ///< of all anchors
};

}  // namespace weir::audit
