#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "audit/mask.hpp"
#include "audit/other/readers.hpp"
#include "audit/other/yaml_anchors.hpp"

// Reads settings files: YAML, JSON and TOML.

namespace weir::audit {
namespace {

constexpr int kMaxNesting = 120;  // deeper nodes are not read
/// Limits for one file: number of aliases followed, and number of nodes read through them. Without a limit a few lines
/// of aliases that refer to each other could expand to more than any memory holds.
constexpr int kMaxFollowedAliases = 2'000;
constexpr int kMaxAliasNodes = 100'000;
/// Longer values are texts, not devices.
constexpr std::size_t kMaxValueBytes = 4096;

// The three grammars (YAML, JSON, TOML) have different names for key-value pairs, mappings and lists.
bool is_pair(Node node) { return node.is("block_mapping_pair") || node.is("flow_pair") || node.is("pair"); }
bool is_mapping(Node node) { return node.is("block_mapping") || node.is("flow_mapping") || node.is("object"); }
bool is_list(Node node) { return node.is("block_sequence") || node.is("flow_sequence") || node.is("array"); }

/// Returns the union of the ranges, without overlap, sorted.
std::vector<Range> merge_ranges(std::vector<Range> ranges) {
  std::sort(ranges.begin(), ranges.end(), [](Range a, Range b) { return a.begin < b.begin; });
  std::vector<Range> all;
  for (const Range range : ranges) {
    if (!all.empty() && range.begin < all.back().end)
      all.back().end = std::max(all.back().end, range.end);
    else
      all.push_back(range);
  }
  return all;
}

/// Returns whether one of the ranges, which merge_ranges() returned, contains the range `where`.
bool any_contains(const std::vector<Range>& merged_ranges, Range where) {
  const auto next = std::upper_bound(merged_ranges.begin(), merged_ranges.end(), where.begin,
                                     [](std::uint32_t at, Range range) { return at < range.begin; });
  return next != merged_ranges.begin() && std::prev(next)->contains(where);
}

/// Reads the masks and devices in a YAML, JSON or TOML file: environments of containers, and keys that name a device. A
/// card is a graphics card of the machine; a container numbers the cards that it receives from 0.
class SettingsReader {
 public:
  explicit SettingsReader(std::string_view text) : text_{text} {}

  ScriptContent read(const Tree& tree) {
    anchors_ = YamlAnchors{tree.root(), text_};
    has_syntax_error_ = tree.first_error().has_value();
    walk(tree.root(), 0);
    check_containers();
    auto script = std::move(events_).take();
    script.is_entry_point = false;
    script.parse_error = tree.first_error();
    const auto containers = find_containers_with_cards();
    for (Event& event : script.functions.front().events) event.cards_renumbered = any_contains(containers, event.range);
    return script;
  }

 private:
  /// An entry of a list or mapping.
  struct Entry {
    Range where;
    Range group{};           ///< the list or mapping that contains it
    bool removable = false;  ///< an entry of a YAML block that has other entries, too
  };
  /// A mask (value of CUDA_VISIBLE_DEVICES) that a container sets inside itself.
  struct InnerMask {
    Value mask;
    Range where;
    Entry entry;
  };
  /// The number of cards that a container outside a compose file receives.
  struct CardCount {
    Range container;
    std::string card_setting;  ///< the text that gives the cards: "nvidia.com/gpu: 1"
    std::size_t count;
  };
  /// The cards that one service of a compose file receives, and the mask inside its container.
  struct Service {
    std::string card_setting;       ///< the text that selects cards for the container; empty if there is none
    std::size_t card_count = 0;     ///< number of cards that it selects
    bool only_count_known = false;  ///< the file contains only the number of cards, not their identities
    std::optional<InnerMask> mask;
  };

  /// A key above the current node, and the mapping that contains the key; for a key of a merged mapping ("<<"), the
  /// mapping that it is merged into.
  struct Level {
    std::string key;
    Range holder;
  };
  /// An alias and its target.
  struct FollowedAlias {
    Range alias;
    Range content;
  };

  static Node key_of(Node pair) {
    const Node key = pair.field("key");
    return key ? key : pair.first_child();
  }
  static Node value_of(Node pair) {
    if (const Node value = pair.field("value")) return value;
    const auto children = named_children(pair);
    return children.size() >= 2 ? children.back() : Node{};
  }
  /// Returns the value of a number or text, also through an alias; unknown for other nodes. A node with an anchor is
  /// shared, so its literal is not editable.
  Value scalar(Node node) const {
    const Node content = anchors_.content(node);
    const Range where = content.range();
    if (!content || is_mapping(content) || is_list(content) || where.end - where.begin > kMaxValueBytes) return {};
    Value value = word_value(content.text(text_), where);
    if (!YamlAnchors::is_shared(node) || value.single_alternative() == nullptr) return value;
    PossibleValue alternative = *value.single_alternative();
    alternative.literal = {};
    return alternative;
  }
  std::string key_text(Node pair) const { return scalar(key_of(pair)).as_text().value_or(""); }

  /// Reads a node and all nodes below it. While it does, the members entry_, group_, mapping_ and holder_ describe the
  /// place of the current node.
  void walk(Node node, int depth) {
    if (depth > kMaxNesting || (!current_alias_.empty() && ++alias_node_count_ > kMaxAliasNodes)) return;
    if (const Node alias = YamlAnchors::find_alias(node)) return follow(alias, depth);
    if (is_pair(node)) return pair(node, depth);
    if (node.is("block_sequence_item") || node.is("array") || node.is("flow_sequence")) {
      items(node, depth);
      return;
    }
    const Node outer_mapping = mapping_;
    const Range outer_holder = holder_;
    if (is_mapping(node)) {
      named_variable(node);
      mapping_ = node;
      holder_ = node.range();
    }
    const auto children = named_children(node);
    const bool is_block = node.is("block_mapping") || node.is("block_sequence");
    const bool has_several_children = is_block && children.size() > 1;
    const Range outer_group = group_;
    if (children.size() > 1 && !is_pair(node)) group_ = node.range();
    for (const Node child : children) {
      const Entry outer_entry = entry_;
      if (is_pair(child) || is_block)
        entry_ = {.where = child.range(), .group = node.range(), .removable = has_several_children};
      walk(child, depth + 1);
      entry_ = outer_entry;
    }
    group_ = outer_group;
    mapping_ = outer_mapping;
    holder_ = outer_holder;
  }

  /// Reads the target of an alias for the container that uses the alias. Findings in the target are reported where the
  /// target is written.
  void follow(Node alias, int depth) {
    const Node content = anchors_.content(alias);
    if (!content || !record_alias(alias, content)) return;
    const Range outer_alias = current_alias_;
    if (current_alias_.empty()) current_alias_ = alias.range();
    walk(content, depth + 1);
    current_alias_ = outer_alias;
  }

  /// Records that an alias is followed. Returns false, and records nothing, if the limit is reached.
  bool record_alias(Node alias, Node content) {
    if (followed_aliases_.size() >= kMaxFollowedAliases) return false;
    followed_aliases_.push_back({alias.range(), content.range()});
    return true;
  }

  /// Handles "<<: *name" or "<<: [*one, *other]". Keys of the mapping itself, or of an earlier merged mapping, take
  /// precedence.
  void merge(Node value, std::set<std::string>& known_keys, int depth) {
    const Node alias = YamlAnchors::find_alias(value);
    if (!alias) {
      const Node list = anchors_.content(value);
      for (const Node item : named_children(is_list(list) ? list : Node{}))
        if (depth < kMaxNesting)
          merge(item.is("block_sequence_item") ? item.first_child() : item, known_keys, depth + 1);
      return;
    }
    const Node content = anchors_.content(alias);
    if (!is_mapping(content) || depth > kMaxNesting || !record_alias(alias, content)) return;
    const Range outer_alias = current_alias_;
    if (current_alias_.empty()) current_alias_ = alias.range();
    std::vector<Node> further;
    for (const Node child : named_children(content)) {
      if (!is_pair(child) || ++alias_node_count_ > kMaxAliasNodes) continue;
      const std::string key = key_text(child);
      if (key == "<<")
        further.push_back(value_of(child));
      else if (known_keys.insert(key).second)
        pair(child, depth + 1);
    }
    for (const Node next : further) merge(next, known_keys, depth + 1);
    current_alias_ = outer_alias;
  }

  /// Reads the mappings that `value`, the value of a key "<<", merges into `mapping`.
  void merge_into(Node mapping, Node value, int depth) {
    std::set<std::string> known_keys;
    for (const Node child : named_children(mapping))
      if (is_pair(child)) known_keys.insert(key_text(child));
    const Range outer_group = group_;
    group_ = mapping.range();
    merge(value, known_keys, depth);
    group_ = outer_group;
  }

  /// Returns the ranges of containers that receive cards, and of all code that these containers use through aliases. An
  /// alias may lead to code with further aliases, so the search is repeated.
  std::vector<Range> find_containers_with_cards() const {
    constexpr int kMaxRounds = 8;
    auto containers = merge_ranges(containers_with_cards_);
    for (int round = 0; round < kMaxRounds && !followed_aliases_.empty() && !containers.empty(); ++round) {
      auto more = containers;
      for (const FollowedAlias& one : followed_aliases_)
        if (any_contains(containers, one.alias) && !any_contains(containers, one.content)) more.push_back(one.content);
      if (more.size() == containers.size()) break;
      containers = merge_ranges(std::move(more));
    }
    return containers;
  }

  /// Records that the file sets an environment variable of a container. `where`: the code that sets it.
  void set(Range where, std::string_view name, const Value& value) {
    // Deleting an entry with an anchor would break aliases elsewhere.
    const bool removable = entry_.removable && !anchors_.has_anchor_in(entry_.where);
    events_.set_statement(entry_.where);
    Event* const event =
        current_alias_.empty() ? events_.set_variable(where, name, value, Event::Mode::child_environment) : nullptr;
    if (event != nullptr) {
      event->is_editable = removable;
      event->target = entry_.group;
    }
    if (name == "CUDA_VISIBLE_DEVICES") {
      const bool is_written_here = current_alias_.empty();
      const Entry entry = is_written_here ? Entry{entry_.where, entry_.group, removable} : Entry{current_alias_};
      service_.mask = InnerMask{value, is_written_here ? where : current_alias_, entry};
      if (!in_services_) masks_.push_back(*service_.mask);
    }
    const std::string text = value.as_text().value_or("");
    if (name == "NVIDIA_VISIBLE_DEVICES" && !text.empty() && text != "all" && text != "void" && text != "none") {
      containers_with_cards_.push_back(group_);
      const std::string card_setting = "NVIDIA_VISIBLE_DEVICES=" + text;
      const auto count = static_cast<std::size_t>(std::count(text.begin(), text.end(), ',')) + 1;
      set_service_cards(card_setting, count);
      if (!in_services_) card_counts_.push_back({group_, card_setting, count});
    }
  }

  void set_service_cards(std::string card_setting, std::size_t count) {
    service_.card_setting = std::move(card_setting);
    service_.card_count = count;
  }

  /// Returns the part of a text from the byte `from` on. No hole may precede this byte, because the range of the
  /// literal is moved by the same number of bytes.
  static Value part_of(const Value& value, std::size_t from) {
    PossibleValue part = *value.single_alternative();
    part.text.erase(0, from);
    if (!part.literal.empty()) part.literal.begin += static_cast<std::uint32_t>(from);
    return part;
  }

  /// Reads the entries of a list, among them "- CUDA_VISIBLE_DEVICES=1".
  void items(Node node, int depth) {
    const Entry outer_entry = entry_;
    if (!node.is("block_sequence_item")) entry_ = {node.range(), node.range()};
    for (const Node child : named_children(node)) {
      const Value value = scalar(child);
      const std::string text = value.as_text().value_or("");
      const std::size_t equals = text.find('=');
      const bool is_setting = text.find('\n') == std::string::npos && equals != std::string::npos;
      if (is_setting && find_device_variable(text.substr(0, equals)) != nullptr)
        set(child.range(), text.substr(0, equals), part_of(value, equals + 1));
      else
        walk(child, depth + 1);
    }
    entry_ = outer_entry;
  }

  /// Handles Kubernetes' "- name: CUDA_VISIBLE_DEVICES" with "value: ..." beside it.
  void named_variable(Node mapping) {
    std::string name;
    Node value;
    for (const Node child : named_children(mapping)) {
      if (!is_pair(child)) continue;
      const std::string key = key_text(child);
      if (key == "name") name = scalar(value_of(child)).as_text().value_or("");
      if (key == "value") value = value_of(child);
    }
    if (value && find_device_variable(name) != nullptr) set(mapping.range(), name, scalar(value));
  }

  void pair(Node node, int depth) {
    const std::string key = key_text(node);
    const Node value = value_of(node);
    if (!value) return;
    if (key == "<<" && anchors_.is_yaml()) return merge_into(mapping_, value, depth + 1);
    if (key == "services") return services(value, depth + 1);
    if (find_device_variable(key) != nullptr) return set(node.range(), key, scalar(value));
    if (key == "device_ids") return device_ids(anchors_.content(value));
    // Kubernetes gives a container a number of cards, or parts of one, and the container sees only these.
    if (key.starts_with("nvidia.com/gpu") || key.starts_with("nvidia.com/mig-") || key == "amd.com/gpu" ||
        key.starts_with("gpu.intel.com/"))
      return read_resource(key, value);
    const Value given = scalar(value);
    if (key == "count" && in_services_ && !path_.empty()) read_card_count(given);
    const PossibleValue* text = given.single_alternative(PossibleValue::Kind::text);
    if (text != nullptr && parse_device(text->text)) {
      events_.set_statement(node.range());
      // The target of an alias is reported at its own position.
      if (current_alias_.empty() && !YamlAnchors::find_alias(value))
        events_.emit(Event::Kind::use_device, value.range(), key, given);
      return;
    }
    path_.push_back({key, holder_});
    walk(value, depth + 1);
    path_.pop_back();
  }

  /// Handles the list of cards of a service: "device_ids: ['0', '3']", in one line or with one card per line.
  void device_ids(Node list) {
    constexpr std::size_t kMaxListBytes = 40;  // of the list in messages
    const std::string_view code = list.text(text_);
    if (!list || code.size() > kMaxValueBytes) return;
    std::vector<std::string_view> ids;
    for (const Node item : named_children(is_list(list) ? list : Node{}))
      if (!item.is("comment")) ids.push_back((item.is("block_sequence_item") ? item.first_child() : item).text(text_));
    const std::string one_line =
        list.is("block_sequence") ? fmt::format("[{}]", fmt::join(ids, ", ")) : std::string{code};
    const auto commas = static_cast<std::size_t>(std::count(code.begin(), code.end(), ','));
    const std::size_t count = is_list(list) ? ids.size() : commas + 1;
    set_service_cards("device_ids: " + one_line.substr(0, kMaxListBytes), count);
  }

  /// Returns a literal number of cards from 0 to 9; nothing for "all", for parts of cards and for template expressions.
  static std::optional<std::size_t> number_of_cards(const Value& value) {
    const std::string text = value.as_text().value_or("");
    const bool digit = text.size() == 1 && std::isdigit(static_cast<unsigned char>(text[0])) != 0;
    return digit ? std::optional<std::size_t>{text[0] - '0'} : std::nullopt;
  }

  /// Handles "devices: [{driver: nvidia, count: 1, capabilities: [gpu]}]" of a service.
  void read_card_count(const Value& count) {
    const std::string& key = path_.back().key;
    const auto number = number_of_cards(count);
    const bool is_for_gpus =
        key == "gpus" || (key == "devices" && mapping_.text(text_).find("gpu") != std::string_view::npos);
    if (!is_for_gpus || !number || *number == 0) return;
    set_service_cards("count: " + std::to_string(*number), *number);
    service_.only_count_known = true;
  }

  /// Handles "resources: {limits: {nvidia.com/gpu: 1}}": the container with these resources receives cards.
  void read_resource(const std::string& name, Node value) {
    if (scalar(value).as_text() == "0") return;
    for (std::size_t i = path_.size(); i-- > 0;) {
      const std::string& key = path_[i].key;
      // Labels of a node and quotas of a namespace give no cards to a container.
      if (key == "nodeSelector" || key == "labels" || key == "annotations" || key == "matchLabels" || key == "hard")
        return;
      if ((key == "limits" || key == "requests") && !has_syntax_error_) {
        const Range container = i > 0 ? path_[i - 1].holder : path_[i].holder;
        // Only whole cards are counted: several parts (MIG) may belong to the same card.
        if (const auto number = number_of_cards(scalar(value)); number && name == "nvidia.com/gpu")
          card_counts_.push_back({container, name + ": " + std::to_string(*number), *number});
        return containers_with_cards_.push_back(container);
      }
    }
    // The form is unknown, so all containers of the file count as containers with cards.
    containers_with_cards_.push_back({0, static_cast<std::uint32_t>(text_.size())});
  }

  void services(Node node, int depth) {
    // The mapping of services is one or two nodes down, depending on the grammar.
    Node mapping = node;
    for (int i = 0; i < 3 && mapping && !mapping.is("block_mapping") && !mapping.is("object"); ++i) {
      mapping = named_children(mapping).back();
    }
    in_services_ = true;
    for (const Node service : named_children(mapping)) {
      service_ = {};
      if (!is_pair(service) || key_text(service) == "<<") continue;
      walk(value_of(service), depth + 1);
      if (!service_.card_setting.empty()) containers_with_cards_.push_back(service.range());
      if (!service_.card_setting.empty() && service_.mask)
        check_mask(*service_.mask, service_.card_setting, service_.card_count, service_.only_count_known);
    }
    in_services_ = false;
    service_ = {};
  }

  /// Checks, for Kubernetes and similar files, each mask against the cards of its container.
  void check_containers() {
    for (const InnerMask& inner : masks_) {
      const CardCount* cards = nullptr;
      for (const CardCount& one : card_counts_) {
        const bool is_innermost = cards == nullptr || cards->container.contains(one.container);
        if (one.container.contains(inner.where) && is_innermost) cards = &one;
      }
      if (cards != nullptr) check_mask(inner, cards->card_setting, cards->count, /*only_count_known=*/true);
    }
  }

  /// Reports a mask with an entry that is none of the `count` cards of the container. With `only_count_known` only the
  /// number of cards is known, so a UUID in the mask may be one of them.
  void check_mask(const InnerMask& inner, const std::string& card_setting, std::size_t count, bool only_count_known) {
    const auto mask = parse_mask(inner.mask);
    if (!mask || mask->hides_all()) return;
    const bool fits = std::all_of(mask->entries.begin(), mask->entries.end(), [&](const std::string& entry) {
      const bool digit = std::isdigit(static_cast<unsigned char>(entry[0])) != 0;
      return digit ? entry.size() < 3 && std::stoul(entry) < count : only_count_known;
    });
    if (fits) return;
    events_.set_statement(inner.entry.where);
    events_.emit(Event::Kind::container_mask, inner.where, card_setting, inner.mask).is_editable =
        inner.entry.removable;
  }

  std::string_view text_;
  ScriptEvents events_;
  Service service_;                     ///< the current service of a compose file
  bool in_services_ = false;            ///< inside the services of a compose file
  std::vector<InnerMask> masks_;        ///< masks of containers outside compose files
  std::vector<CardCount> card_counts_;  ///< cards of containers outside compose files
  Entry entry_;                         ///< the innermost entry
  Range group_;                         ///< the innermost mapping or list with several entries
  YamlAnchors anchors_;
  bool has_syntax_error_ = false;  ///< the file has syntax errors, so the nesting is uncertain
  Node mapping_;                   ///< the innermost mapping
  Range holder_;                   ///< range of the innermost mapping, or of the mapping that it is merged into
  std::vector<Level> path_;        ///< the keys above the current node, outermost first
  Range current_alias_;            ///< the alias whose target is being read; empty if none
  std::vector<FollowedAlias> followed_aliases_;
  int alias_node_count_ = 0;                  ///< number of nodes read through aliases
  std::vector<Range> containers_with_cards_;  ///< containers, or their environments, that receive cards
};

}  // namespace

Result<ScriptContent> read_settings(Language language, std::string_view text) {
  const auto tree = parse(language, text);
  if (!tree) return tree.error();
  return SettingsReader{text}.read(*tree);
}

}  // namespace weir::audit
