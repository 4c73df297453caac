#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/event.hpp"
#include "audit/source/source_file.hpp"
#include "audit/syntax/tree.hpp"
#include "base/result.hpp"

namespace weir::audit {

/// What a file of a kind other than Python says. The first function is the body.
struct ScriptContent {
  std::vector<Function> functions{};
  std::map<std::string, std::vector<std::string>> base_classes{};  ///< scripts have no classes
  std::optional<Range> parse_error{};
  bool is_entry_point = false;
  std::uint32_t header_offset = 0;
};

// All are thread-safe and read any bytes. Errors: those of parse().
Result<ScriptContent> read_shell(std::string_view text);
Result<ScriptContent> read_powershell(std::string_view text);
Result<ScriptContent> read_cpp(std::string_view text);
/// YAML, JSON or TOML: environments of compose files and the like, and keys that name a device.
Result<ScriptContent> read_settings(Language language, std::string_view text);
/// The code cells of a Jupyter notebook as one Python program, in the order in which they stand; what is IPython's own in them is
/// a comment. Thread-safe. Errors: corrupt (no JSON); those of parse().
Result<SourceFile> extract_notebook_code(const SourceFile& file);
/// Adds what IPython's own lines of a notebook do to the environment of its kernel, where they stand: %env, %set_env, %run, %dotenv.
/// "!export" and cells of other languages ("%%bash") do nothing to it. `body` is what Python does, in its order.
void add_magic_events(const SourceFile& notebook, Function& body);
/// Dockerfile, .env, systemd unit or batch file, line by line.
enum class LineFormat { dockerfile, dotenv, systemd, batch };
ScriptContent read_lines(LineFormat format, std::string_view text);

/// Makes events of a script.
class ScriptEvents {
 public:
  ScriptEvents() { functions_.emplace_back(); }

  Event& emit(Event::Kind kind, Range where, std::string name = {}, Value value = {});
  /// If the name selects devices; null if it does not.
  Event* set_variable(Range where, std::string_view name, Value value, Event::Mode mode = Event::Mode::assign);
  void set_statement(Range statement) { statement_ = statement; }
  std::vector<Arm>& arms() { return arms_; }
  std::uint32_t new_branch() { return branch_count_++; }
  void begin_function(std::string key);
  /// `positional`: so many of the parameters are given by position.
  void end_function(std::vector<std::string> parameters = {}, std::vector<Value> defaults = {},
                    std::size_t positional = SIZE_MAX);
  ScriptContent take() &&;

 private:
  std::vector<Function> functions_;
  std::vector<std::size_t> open_functions_{0};
  std::vector<Arm> arms_;
  Range statement_;
  std::uint32_t branch_count_ = 0;
};

/// A word of a script as a value: its text without quotes; what is expanded in it becomes holes.
Value word_value(std::string_view word, Range where);

}  // namespace weir::audit
