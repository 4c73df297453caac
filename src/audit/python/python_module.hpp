#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "audit/module.hpp"

namespace weir::audit::python {

/// What a piece of Python says, in the order in which it runs. Where the text does not parse, `error` says where and
/// the rest is still read.
struct PythonContent {
  std::vector<Function> functions;                               ///< the first is the body
  std::map<std::string, std::vector<std::string>> base_classes;  ///< as in Module
  std::map<std::string, Value, std::less<>> attributes;          ///< as in Module
  NamedValues exported_names;                                    ///< as in Module
  std::set<std::string> overwritten_attributes;                  ///< as in Module
  bool is_entry_point = false;
  bool is_served = false;  ///< as in Module
  std::uint32_t header_offset = 0;
  std::optional<Range> parse_error;
};

/// Reads a whole module. Each function is read once, with its parameters as unknowns that the caller's arguments replace
/// (Atom::Kind::parameter). Thread-safe. Errors: those of parse().
/// With `imports` the names of other modules are known.
Result<PythonContent> read_python(std::string_view text, const ImportedNames& imports = {});

}  // namespace weir::audit::python
