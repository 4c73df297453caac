#include <algorithm>
#include <utility>

#include "audit/python/gpu_names.hpp"
#include "audit/python/reader.hpp"

namespace weir::audit::python {
namespace {

/// Behind the encoding line, the docstring and the imports from __future__: where a header may stand.
std::uint32_t header_place(Node root, std::string_view text) {
  std::uint32_t at = 0;
  const auto after_line = [&](std::uint32_t byte) {
    const std::size_t end = text.find('\n', byte);
    return static_cast<std::uint32_t>(end == std::string_view::npos ? text.size() : end + 1);
  };
  // Comments at the very top are the shebang, the encoding and the licence.
  std::uint32_t line = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  while (line < text.size() && (text[line] == '#' || text[line] == '\n' || text[line] == '\r')) {
    const bool comment = text[line] == '#';
    line = after_line(line);
    if (comment) at = line;
  }
  bool first = true;
  for (const Node child : named_children(root)) {
    const bool docstring = first && child.is("expression_statement") && child.first_child().is("string");
    if (!docstring && !child.is("future_import_statement")) break;
    at = after_line(child.range().end);
    first = false;
  }
  return at;
}

}  // namespace

Event& Reader::emit(Event::Kind kind, Node where, std::string name, Value value) {
  ++events_;
  Event event{.kind = kind,
              .where = where.range(),
              .statement = frame_->statement,
              .top = frame_->top,
              .arms = frame_->arms,
              .conditions = frame_->conditions,
              .name = std::move(name),
              .value = std::move(value)};
  event.main_only = frame_->main_only;
  event.in_try = frame_->in_try;
  event.in_loop = frame_->in_loop;
  event.counted = frame_->counted;
  event.fallback = frame_->fallback;
  event.outermost = frame_->statement == frame_->top;
  frame_->function->events.push_back(std::move(event));
  return frame_->function->events.back();
}

void Reader::set_variable(Node where, Node target, std::string_view name, const Value& value, Event::Mode mode) {
  if (find_variable(name) == nullptr) return;
  Event& event = emit(Event::Kind::set_variable, where, std::string{name}, value);
  event.mode = mode;
  event.guarded = frame_->checked.contains(std::string{name}) || value.may_be(Atom::Kind::environment);
  event.editable = frame_->editable;
  event.target = target.range();
}

/// The events of this function from there on set or remove variables of this process.
bool Reader::writes_masks_since(std::size_t event) const {
  const auto& events = frame_->function->events;
  return std::any_of(events.begin() + static_cast<std::ptrdiff_t>(std::min(event, events.size())), events.end(),
                     [](const Event& one) {
                       const bool writes = one.kind == Event::Kind::set_variable && one.mode != Event::Mode::child;
                       return writes || one.kind == Event::Kind::remove_variable;
                     });
}

void Reader::looked_at(std::string_view variable) { frame_->checked.emplace(variable); }

Reading Reader::read(const Tree& tree) {
  reading_.error = tree.first_error();
  reading_.header_at = header_place(tree.root(), text_);
  reading_.entry_point = text_.starts_with("#!");
  functions_.push_back(std::make_unique<Function>());
  scopes_.push_back(std::make_unique<Scope>());
  Frame frame{.function = functions_.front().get(), .scope = scopes_.front().get()};
  frame_ = &frame;
  block(tree.root());
  call_what_is_served();
  // What nothing called yet; walking may define more.
  for (std::size_t i = 0; i < order_.size(); ++i) walk_function(std::string{order_[i]});
  export_names();
  for (auto& function : functions_) reading_.functions.push_back(std::move(*function));
  reading_.bases = std::move(bases_);
  reading_.attributes = std::move(attributes_);
  return std::move(reading_);
}

Result<Reading> read_python(std::string_view text, const ImportedNames& imports) {
  auto tree = parse(Language::python, text);
  if (!tree) return tree.error();
  return Reader{text, imports}.read(*tree);
}

}  // namespace weir::audit::python
