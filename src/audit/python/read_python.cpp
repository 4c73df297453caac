#include <algorithm>
#include <utility>

#include "audit/python/gpu_names.hpp"
#include "audit/python/reader.hpp"

// The entry point of the Python reader, and the functions with which all its parts record events.

namespace weir::audit::python {
namespace {

/// Returns the offset after the comments at the top, the docstring and the imports from __future__, where a header can
/// be inserted.
std::uint32_t find_header_offset(Node root, std::string_view text) {
  std::uint32_t at = 0;
  const auto after_line = [&](std::uint32_t byte) {
    const std::size_t end = text.find('\n', byte);
    return static_cast<std::uint32_t>(end == std::string_view::npos ? text.size() : end + 1);
  };
  // Comments at the top are the shebang, the encoding and the licence.
  std::uint32_t line_start = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;  // 3 bytes: byte-order mark
  while (line_start < text.size() &&
         (text[line_start] == '#' || text[line_start] == '\n' || text[line_start] == '\r')) {
    const bool comment = text[line_start] == '#';
    line_start = after_line(line_start);
    if (comment) at = line_start;
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
  ++event_count_;
  Event event{.kind = kind,
              .range = where.range(),
              .statement = frame_->statement,
              .top_statement = frame_->top_statement,
              .arms = frame_->arms,
              .conditions = frame_->conditions,
              .name = std::move(name),
              .value = std::move(value)};
  event.in_main_part = frame_->in_main_part;
  event.in_try = frame_->in_try;
  event.in_loop = frame_->in_loop;
  event.device_count_checked = frame_->device_count_checked;
  event.is_fallback = frame_->in_fallback;
  event.is_top_level = frame_->statement == frame_->top_statement;
  frame_->function->events.push_back(std::move(event));
  return frame_->function->events.back();
}

void Reader::set_variable(Node where, Node target, std::string_view name, const Value& value, Event::Mode mode) {
  if (find_device_variable(name) == nullptr) return;
  Event& event = emit(Event::Kind::set_variable, where, std::string{name}, value);
  event.mode = mode;
  event.variable_read_before =
      frame_->checked_variables.contains(std::string{name}) || value.may_be(PossibleValue::Kind::environment_variable);
  event.is_editable = frame_->is_editable;
  event.target = target.range();
}

/// Returns whether events of the current function, from index `first_event` on, set or remove environment
/// variables of the analysed program itself (not only of a child process).
bool Reader::writes_masks_since(std::size_t first_event) const {
  const auto& events = frame_->function->events;
  return std::any_of(events.begin() + static_cast<std::ptrdiff_t>(std::min(first_event, events.size())), events.end(),
                     [](const Event& one) {
                       const bool writes =
                           one.kind == Event::Kind::set_variable && one.mode != Event::Mode::child_environment;
                       return writes || one.kind == Event::Kind::remove_variable;
                     });
}

void Reader::note_variable_read(std::string_view variable) { frame_->checked_variables.emplace(variable); }

PythonContent Reader::read(const Tree& tree) {
  content_.parse_error = tree.first_error();
  content_.header_offset = find_header_offset(tree.root(), text_);
  content_.is_entry_point = text_.starts_with("#!");
  functions_.push_back(std::make_unique<Function>());
  scopes_.push_back(std::make_unique<Scope>());
  Frame frame{.function = functions_.front().get(), .scope = scopes_.front().get()};
  frame_ = &frame;
  block(tree.root());
  call_served_functions();  // functions that a server or a model runner calls
  // Walks the functions that were not called; this may define more.
  for (std::size_t i = 0; i < pending_order_.size(); ++i) walk_function(std::string{pending_order_[i]});
  export_names();
  for (auto& function : functions_) content_.functions.push_back(std::move(*function));
  content_.base_classes = std::move(base_classes_);
  content_.attributes = std::move(attributes_);
  return std::move(content_);
}

Result<PythonContent> read_python(std::string_view text, const ImportedNames& imports) {
  auto tree = parse(Language::python, text);
  if (!tree) return tree.error();
  return Reader{text, imports}.read(*tree);
}

}  // namespace weir::audit::python
