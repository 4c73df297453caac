#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "audit/mask.hpp"
#include "audit/other/readers.hpp"

// Reads C and C++ files, including those for CUDA and HIP.

namespace weir::audit {
namespace {

constexpr int kMaxCppDepth = 200;  // deeper nodes are not read

// Calls that start the GPU driver, which then reads the masks (values of variables such as CUDA_VISIBLE_DEVICES). The
// runtimes start the driver at the first call that needs a device.
constexpr std::array<std::string_view, 17> kDriverStarters{"cudaGetDeviceCount",
                                                           "cudaSetDevice",
                                                           "cudaMalloc",
                                                           "cudaGetDeviceProperties",
                                                           "cudaFree",
                                                           "cudaDeviceSynchronize",
                                                           "cudaMallocManaged",
                                                           "cuInit",
                                                           "hipGetDeviceCount",
                                                           "hipSetDevice",
                                                           "hipMalloc",
                                                           "hipInit",
                                                           "hipGetDeviceProperties",
                                                           "hipFree",
                                                           "zeInit",
                                                           "cudaMemGetInfo",
                                                           "cudaStreamCreate"};
/// A call that receives a device number.
struct DeviceCall {
  std::string_view name;
  Vendor vendor;
};
constexpr std::array kDeviceCalls{DeviceCall{"cudaSetDevice", Vendor::nvidia}, DeviceCall{"hipSetDevice", Vendor::amd},
                                  DeviceCall{"cudaGetDeviceProperties", Vendor::nvidia}};

/// Reads a C or C++ file: each function becomes a function of the script.
class CppReader {
 public:
  explicit CppReader(std::string_view text) : text_{text} {}

  ScriptContent read(const Tree& tree) {
    walk(tree.root(), 0);
    auto script = std::move(events_).take();
    // The events of main() become those of the code outside functions, which for other languages is what runs first.
    script.is_entry_point = false;
    for (Function& function : script.functions) {
      if (function.key != "main") continue;
      script.functions.front().events = std::move(function.events);
      function.events.clear();
      script.is_entry_point = true;
      break;
    }
    script.parse_error = tree.first_error();
    return script;
  }

 private:
  void walk(Node node, int depth) {
    if (depth > kMaxCppDepth) return;
    const std::string_view kind = node.kind();
    if (kind == "comment" || kind == "string_literal") return;
    if (kind == "function_definition") {
      // The declarators of pointers and references enclose the name.
      Node name = node.field("declarator");
      for (int i = 0;
           i < 8 && name && !name.is("identifier") && !name.is("qualified_identifier") && !name.is("field_identifier");
           ++i)
        name = name.field("declarator");
      events_.begin_function(std::string{name.text(text_)});
      walk(node.field("body"), depth + 1);
      return events_.end_function();
    }
    const bool is_branch =
        kind == "if_statement" || kind == "switch_statement" || kind == "for_statement" || kind == "while_statement";
    if (kind == "expression_statement" || kind == "declaration" || kind == "return_statement")
      events_.set_statement(node.range());
    const std::uint32_t id = is_branch ? events_.new_branch() : 0;
    if (is_branch) events_.arms().push_back({id, 0});
    for (const Node child : named_children(node)) {
      if (is_branch && (child.is("else_clause") || child.is("case_statement"))) ++events_.arms().back().index;
      walk(child, depth + 1);
    }
    if (is_branch) events_.arms().pop_back();
    if (kind == "call_expression") call(node);
  }

  /// Returns an argument that is a string or number literal; unknown for other expressions.
  Value argument(const std::vector<Node>& args, std::size_t index) const {
    if (index >= args.size()) return {};
    const Node arg = args[index];
    const std::string_view text = arg.text(text_);
    if (arg.is("string_literal")) return word_value(text, arg.range());
    long number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (arg.is("number_literal") && problem == std::errc{} && end == text.data() + text.size())
      return number_value(number, arg.range());
    return {};
  }

  void call(Node node) {
    std::string name{node.field("function").text(text_)};
    if (name.starts_with("std::") || name.starts_with("::")) name = name.substr(name.find("::") + 2);
    const auto args = named_children(node.field("arguments")).to_vector();
    if (name == "getenv" || name == "secure_getenv") {
      read_variables_.push_back(argument(args, 0).as_text().value_or(""));
    } else if (name == "setenv" || name == "_putenv_s") {
      const Value overwrite = argument(args, 2);  // 0: setenv() does not replace an existing value
      const bool keeps_existing = name == "setenv" && overwrite.as_text().value_or("1") == "0";
      set(node, argument(args, 0).as_text().value_or(""), argument(args, 1), keeps_existing);
    } else if (name == "putenv" || name == "_putenv") {
      const std::string text = argument(args, 0).as_text().value_or("");
      const std::size_t equals = text.find('=');
      if (equals != std::string::npos)
        set(node, text.substr(0, equals), text_value(text.substr(equals + 1)), /*keeps_existing=*/false);
    } else if (name == "unsetenv") {
      const std::string variable = argument(args, 0).as_text().value_or("");
      if (find_device_variable(variable) != nullptr) events_.emit(Event::Kind::remove_variable, node.range(), variable);
    } else {
      device_call(node, name, args);
    }
  }

  /// Records that a call sets an environment variable; `keeps_existing`: only if it is unset.
  void set(Node node, const std::string& name, const Value& value, bool keeps_existing) {
    Event* event = events_.set_variable(node.range(), name, value,
                                        keeps_existing ? Event::Mode::set_if_unset : Event::Mode::assign);
    if (event != nullptr)
      event->variable_read_before =
          event->variable_read_before ||
          std::find(read_variables_.begin(), read_variables_.end(), name) != read_variables_.end();
  }

  void device_call(Node node, const std::string& name, const std::vector<Node>& args) {
    const auto* device_call_info = std::find_if(kDeviceCalls.begin(), kDeviceCalls.end(),
                                                [&](const DeviceCall& known) { return known.name == name; });
    if (device_call_info != kDeviceCalls.end()) {
      const Value index = argument(args, name == "cudaGetDeviceProperties" ? 1 : 0);
      if (index.single_alternative(PossibleValue::Kind::number) != nullptr)
        events_.emit(Event::Kind::use_device, node.range(), name, index);
    }
    if (std::find(kDriverStarters.begin(), kDriverStarters.end(), name) != kDriverStarters.end())
      events_.emit(Event::Kind::start_driver, node.range(), name);
    else
      events_.emit(Event::Kind::call, node.range(), ':' + name);
  }

  std::string_view text_;
  ScriptEvents events_;
  std::vector<std::string> read_variables_;  ///< environment variables that the code has read so far
};

}  // namespace

Result<ScriptContent> read_cpp(std::string_view text) {
  const auto tree = parse(Language::cpp, text);
  if (!tree) return tree.error();
  return CppReader{text}.read(*tree);
}

}  // namespace weir::audit
