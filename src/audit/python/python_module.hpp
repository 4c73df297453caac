#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "audit/module.hpp"

namespace weir::audit::python {

/// The content of a Python text. If the text does not parse, `parse_error` is the first syntax error and the rest is
/// still read.
struct PythonContent {
  std::vector<Function> functions;  ///< the first one is the module's body
  /// base classes of each class: names of this module, or full dotted names of other modules
  std::map<std::string, std::vector<std::string>> base_classes;
  /// attributes of instances, by "Class.attribute"; values may refer to the constructor's parameters
  std::map<std::string, Value, std::less<>> attributes;
  NamedValues exported_names;                    ///< known values of the names that other modules may import
  std::set<std::string> overwritten_attributes;  ///< attributes of other modules that this module overwrites
  bool is_entry_point = false;                   ///< the file is a program: main part, shebang or parse_args()
  bool is_served = false;           ///< a server or a model runner imports the module and calls its functions
  std::uint32_t header_offset = 0;  ///< byte offset where lines can be inserted before all other statements
  std::optional<Range> parse_error;
};

/// Reads a whole module. Each function is read once; its parameters stay symbolic (Kind::parameter) and are replaced by
/// the arguments of each caller. `imports` supplies the known names of other modules. Thread-safe. Errors: those of
/// parse().
Result<PythonContent> read_python(std::string_view text, const ImportedNames& imports = {});

}  // namespace weir::audit::python
