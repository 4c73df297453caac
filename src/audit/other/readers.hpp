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

/// The content of a file that is not Python. The fields have the meaning of those of Module.
struct ScriptContent {
  std::vector<Function> functions{};                               ///< the first one is the code outside functions
  std::map<std::string, std::vector<std::string>> base_classes{};  ///< always empty: the readers record no classes
  std::optional<Range> parse_error{};
  bool is_entry_point = false;
  std::uint32_t header_offset = 0;
};

// All readers are thread-safe and accept arbitrary bytes. They return the events of a file (event.hpp), mainly its
// settings of variables that select devices. Errors: those of parse().
Result<ScriptContent> read_shell(std::string_view text);
Result<ScriptContent> read_powershell(std::string_view text);
Result<ScriptContent> read_cpp(std::string_view text);
/// Reads YAML, JSON or TOML: environments of compose files and the like, and keys that name a device.
Result<ScriptContent> read_settings(Language language, std::string_view text);
/// Returns the code cells of a Jupyter notebook as one Python program, in file order; IPython commands become comments.
/// Thread-safe. Errors: corrupt (no JSON); those of parse().
Result<SourceFile> extract_notebook_code(const SourceFile& file);
/// Adds the events of a notebook's IPython commands that change its kernel's environment, at their positions: %env,
/// %set_env, %run, %dotenv. "!export" and cells of other languages ("%%bash") do not change it. `body` holds the events
/// of the Python code, in order.
void add_magic_events(const SourceFile& notebook, Function& body);
/// Formats of files in which each line is a statement.
enum class LineFormat { dockerfile, dotenv, systemd, batch };
/// Reads a Dockerfile, .env file, systemd unit or batch file, line by line.
ScriptContent read_lines(LineFormat format, std::string_view text);

/// Collects the events of a script, which a reader adds in execution order.
class ScriptEvents {
 public:
  ScriptEvents() { functions_.emplace_back(); }

  /// Adds an event to the current function; the statement and the arms are those set last.
  Event& emit(Event::Kind kind, Range where, std::string name = {}, Value value = {});
  /// Adds an event that sets a variable. Returns null, and adds nothing, if the variable does not select devices.
  Event* set_variable(Range where, std::string_view name, Value value, Event::Mode mode = Event::Mode::assign);
  /// Sets the range of the statement that contains the next events.
  void set_statement(Range statement) { statement_ = statement; }
  /// Returns the arms (one path of a branch each, see Arm) that enclose the next event; the reader changes the list.
  std::vector<Arm>& arms() { return arms_; }
  /// Returns a number that identifies a new branch.
  std::uint32_t new_branch() { return branch_count_++; }
  /// Starts a function with this key (Function::key); later events belong to it.
  void begin_function(std::string key);
  /// Ends the function that was started last. `positional` is the number of parameters that accept a positional
  /// argument; SIZE_MAX: all.
  void end_function(std::vector<std::string> parameters = {}, std::vector<Value> defaults = {},
                    std::size_t positional = SIZE_MAX);
  /// Returns the collected content.
  ScriptContent take() &&;

 private:
  std::vector<Function> functions_;
  std::vector<std::size_t> open_functions_{0};  ///< indices of the functions around the next event, innermost last
  std::vector<Arm> arms_;
  Range statement_;  ///< the statement that contains the next events
  std::uint32_t branch_count_ = 0;
};

/// Returns a word of a script as a value: its text without the quotes around it, in which the character kHole
/// (value.hpp) replaces each expansion ("$x"), whose text is unknown. `where` is the range of the word.
Value word_value(std::string_view word, Range where);

}  // namespace weir::audit
