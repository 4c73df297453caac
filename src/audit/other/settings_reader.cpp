#include <algorithm>
#include <array>
#include <string>

#include "audit/mask.hpp"
#include "audit/other/readers.hpp"

namespace weir::audit {
namespace {

constexpr int kMostDepth = 120;

/// Pairs of key and value, and lists, are told apart by these names in the three grammars.
bool is_pair(Node node) { return node.is("block_mapping_pair") || node.is("flow_pair") || node.is("pair"); }

class SettingsReader {
 public:
  explicit SettingsReader(std::string_view text) : text_{text} {}

  ScriptReading read(const Tree& tree) {
    walk(tree.root(), 0);
    auto reading = std::move(events_).take();
    reading.entry_point = false;
    reading.error = tree.first_error();
    return reading;
  }

 private:
  /// An entry of a list or mapping.
  struct Entry {
    Range where;
    Range group{};           ///< that list or mapping
    bool removable = false;  ///< a block of YAML that does not become empty without it
  };
  struct Inner {
    Value mask;
    Range where;
    Entry entry;
  };
  /// What one service of a compose file selects, from outside and from inside.
  struct Service {
    std::string outer;
    std::size_t count = 0;
    std::optional<Inner> inner;
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
  Value scalar(Node node) const { return word_value(node.text(text_), node.range()); }
  std::string key_text(Node pair) const { return scalar(key_of(pair)).as_text().value_or(""); }

  void walk(Node node, int depth) {
    if (depth > kMostDepth) return;
    if (is_pair(node)) return pair(node, depth);
    if (node.is("block_sequence_item") || node.is("array") || node.is("flow_sequence")) {
      items(node, depth);
      return;
    }
    if (node.is("block_mapping") || node.is("flow_mapping") || node.is("object")) named_variable(node);
    const auto children = named_children(node);
    const bool block = node.is("block_mapping") || node.is("block_sequence");
    const bool several = block && children.size() > 1;
    for (const Node child : children) {
      const Entry outer = entry_;
      if (is_pair(child) || block) entry_ = {child.range(), node.range(), several};
      walk(child, depth + 1);
      entry_ = outer;
    }
  }

  void set(Range where, std::string_view name, const Value& value) {
    events_.set_statement(entry_.where);
    if (Event* event = events_.set(where, name, value, Event::Mode::child)) {
      event->editable = entry_.removable;
      event->target = entry_.group;
    }
    if (name == "CUDA_VISIBLE_DEVICES") service_.inner = Inner{value, where, entry_};
    const std::string text = value.as_text().value_or("");
    if (name == "NVIDIA_VISIBLE_DEVICES" && !text.empty() && text != "all" && text != "void" && text != "none")
      outside("NVIDIA_VISIBLE_DEVICES=" + text,
              static_cast<std::size_t>(std::count(text.begin(), text.end(), ',')) + 1);
  }

  void outside(std::string what, std::size_t count) {
    service_.outer = std::move(what);
    service_.count = count;
  }

  /// The rest of a text from a byte on that no hole stands before.
  static Value part_of(const Value& value, std::size_t from) {
    Atom part = *value.single();
    part.text.erase(0, from);
    part.literal.begin += static_cast<std::uint32_t>(from);
    return part;
  }

  /// "- CUDA_VISIBLE_DEVICES=1"
  void items(Node node, int depth) {
    const Entry outer = entry_;
    if (!node.is("block_sequence_item")) entry_ = {node.range(), node.range()};
    for (const Node child : named_children(node)) {
      const Value value = scalar(child);
      const std::string text = value.as_text().value_or("");
      const std::size_t equals = text.find('=');
      const bool plain = text.find('\n') == std::string::npos && equals != std::string::npos;
      if (plain && find_variable(text.substr(0, equals)) != nullptr)
        set(child.range(), text.substr(0, equals), part_of(value, equals + 1));
      else
        walk(child, depth + 1);
    }
    entry_ = outer;
  }

  /// Kubernetes: "- name: CUDA_VISIBLE_DEVICES" with "value: ..." beside it.
  void named_variable(Node mapping) {
    std::string name;
    Node value;
    for (const Node child : named_children(mapping)) {
      if (!is_pair(child)) continue;
      const std::string key = key_text(child);
      if (key == "name") name = scalar(value_of(child)).as_text().value_or("");
      if (key == "value") value = value_of(child);
    }
    if (value && find_variable(name) != nullptr) set(mapping.range(), name, scalar(value));
  }

  void pair(Node node, int depth) {
    const std::string key = key_text(node);
    const Node value = value_of(node);
    if (!value) return;
    if (key == "services") return services(value, depth + 1);
    if (find_variable(key) != nullptr) return set(node.range(), key, scalar(value));
    if (key == "device_ids") {
      const std::string_view ids = value.text(text_);
      outside("device_ids: " + std::string{ids.substr(0, 40)},
              static_cast<std::size_t>(std::count(ids.begin(), ids.end(), ',')) + 1);
    }
    const Value given = scalar(value);
    const Atom* text = given.single(Atom::Kind::text);
    if (text != nullptr && parse_device(text->text)) {
      events_.set_statement(node.range());
      events_.emit(Event::Kind::use_device, value.range(), key, given);
      return;
    }
    walk(value, depth + 1);
  }

  void services(Node node, int depth) {
    // The mapping of services lies one or two nodes down, by grammar.
    Node mapping = node;
    for (int i = 0; i < 3 && mapping && !mapping.is("block_mapping") && !mapping.is("object"); ++i) {
      mapping = named_children(mapping).back();
    }
    for (const Node service : named_children(mapping)) {
      service_ = {};
      if (is_pair(service)) walk(value_of(service), depth + 1);
      judge_service();
    }
    service_ = {};
  }

  void judge_service() {
    if (service_.outer.empty() || !service_.inner) return;
    const auto mask = parse_mask(service_.inner->mask);
    if (!mask || mask->hides_all()) return;
    const bool fits = std::all_of(mask->entries.begin(), mask->entries.end(), [&](const std::string& entry) {
      return entry.size() < 3 && std::isdigit(static_cast<unsigned char>(entry[0])) != 0 &&
             std::stoul(entry) < service_.count;
    });
    if (fits) return;
    events_.set_statement(service_.inner->entry.where);
    events_.emit(Event::Kind::container, service_.inner->where, service_.outer, service_.inner->mask).editable =
        service_.inner->entry.removable;
  }

  std::string_view text_;
  ScriptEvents events_;
  Service service_;
  Entry entry_;
};

}  // namespace

Result<ScriptReading> read_settings(Language language, std::string_view text) {
  const auto tree = parse(language, text);
  if (!tree) return tree.error();
  return SettingsReader{text}.read(*tree);
}

}  // namespace weir::audit
