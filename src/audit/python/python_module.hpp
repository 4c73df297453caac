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
struct Reading {
  std::vector<Function> functions;                        ///< the first is the body
  std::map<std::string, std::vector<std::string>> bases;  ///< as in Module
  std::map<std::string, Value, std::less<>> attributes;   ///< as in Module
  NamedValues names;                                      ///< as in Module
  std::set<std::string> rewritten;                        ///< as in Module
  bool entry_point = false;
  bool served = false;  ///< as in Module
  std::uint32_t header_at = 0;
  std::optional<Range> error;
};

/// Reads a whole module. Each function is read once, with its parameters as unknowns that the caller's arguments replace
/// (Atom::Kind::parameter). Thread-safe. Errors: those of parse().
/// With `imports` the names of other modules are known.
Result<Reading> read_python(std::string_view text, const ImportedNames& imports = {});

}  // namespace weir::audit::python
