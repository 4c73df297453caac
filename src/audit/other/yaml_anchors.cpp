#include "audit/other/yaml_anchors.hpp"

#include <algorithm>

namespace weir::audit {
namespace {

bool is_node(Node node) { return node.is("block_node") || node.is("flow_node"); }

}  // namespace

YamlAnchors::YamlAnchors(Node root, std::string_view text) : text_{text}, is_yaml_{root.is("stream")} {
  if (!is_yaml_) return;
  std::vector<Node> pending{root};
  while (!pending.empty()) {
    const Node node = pending.back();
    pending.pop_back();
    if (node.is("document")) document_starts_.push_back(node.range().begin);
    if (const Node anchor = is_node(node) ? child_of_kind(node, "anchor") : Node{}) {
      anchor_offsets_.push_back(anchor.range().begin);
      by_name_[anchor.text(text_).substr(1)].push_back({node, 0});
    }
    for (const Node child : named_children(node)) pending.push_back(child);
  }
  std::sort(document_starts_.begin(), document_starts_.end());
  std::sort(anchor_offsets_.begin(), anchor_offsets_.end());
  for (auto& [name, anchors] : by_name_) {
    std::sort(anchors.begin(), anchors.end(),
              [](const Anchor& a, const Anchor& b) { return a.node.range().begin < b.node.range().begin; });
    for (Anchor& anchor : anchors) anchor.document = document_of(anchor.node.range().begin);
  }
}

std::uint32_t YamlAnchors::document_of(std::uint32_t byte) const {
  return static_cast<std::uint32_t>(std::upper_bound(document_starts_.begin(), document_starts_.end(), byte) -
                                    document_starts_.begin());
}

Node YamlAnchors::find_alias(Node node) {
  if (node.is("alias")) return node;
  return is_node(node) ? child_of_kind(node, "alias") : Node{};
}

Node YamlAnchors::target(Node alias) const {
  const Range where = alias.range();
  const std::string_view alias_text = alias.text(text_);
  const auto found = alias_text.empty() ? by_name_.end() : by_name_.find(alias_text.substr(1));
  if (found == by_name_.end()) return {};
  const auto& anchors = found->second;
  const auto next =
      std::lower_bound(anchors.begin(), anchors.end(), where.begin,
                       [](const Anchor& anchor, std::uint32_t at) { return anchor.node.range().begin < at; });
  if (next == anchors.begin()) return {};
  const Anchor& anchor = *std::prev(next);
  const bool within_itself = anchor.node.range().contains(where);
  return within_itself || anchor.document != document_of(where.begin) ? Node{} : anchor.node;
}

Node YamlAnchors::content(Node node) const {
  // The target of an alias is never another alias, so one step is enough.
  if (const Node alias = find_alias(node)) node = target(alias);
  if (!is_node(node)) return node;
  for (const Node child : named_children(node))
    if (!child.is("anchor") && !child.is("tag")) return child;
  return {};
}

bool YamlAnchors::has_anchor_in(Range where) const {
  const auto next = std::lower_bound(anchor_offsets_.begin(), anchor_offsets_.end(), where.begin);
  return next != anchor_offsets_.end() && *next < where.end;
}

bool YamlAnchors::is_shared(Node node) { return find_alias(node) || (is_node(node) && child_of_kind(node, "anchor")); }

}  // namespace weir::audit
