#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "audit/event.hpp"
#include "audit/source/source_file.hpp"

namespace weir::audit {

/// The kind of a file. It determines the reader that read_module() uses.
enum class FileKind { python, notebook, powershell, shell, cpp, yaml, json, toml, dockerfile, dotenv, systemd, batch };

/// Maps names to their values.
using NamedValues = std::map<std::string, Value, std::less<>>;
/// Maps each module that a file imports, by the name in its import statement, to the values of the names that it
/// exports.
using ImportedNames = std::map<std::string, NamedValues, std::less<>>;

/// Returns the language whose grammar parses the code of such a file; nothing for kinds that are read line by line and
/// never edited.
std::optional<Language> code_language(FileKind kind);

/// The content of one file of any kind, as far as rules need it.
struct Module {
  FileKind kind;
  SourceFile source;
  std::vector<Function> functions{};                               ///< the first one is the module's body
  std::map<std::string, std::vector<std::string>> base_classes{};  ///< base classes of each class: names of this
                                                                   ///< module, or full dotted names of other modules
  std::map<std::string, Value, std::less<>>
      attributes{};  ///< attributes of instances, by "Class.attribute"; values may refer to the constructor's
                     ///< parameters
  NamedValues exported_names{};  ///< known values of the names that other modules may import
  std::string imports_text{};    ///< the ImportedNames that the file was read with, as a text for comparisons
  std::set<std::string> overwritten_attributes{};  ///< attributes of other modules that this module overwrites
  bool is_entry_point = false;      ///< the file is a program: Python with `if __name__ == "__main__"`, a shebang or a
                                    ///< call of parse_args(); a script of another language; C++ with main(); a
                                    ///< __main__.py; or a file that weir.toml declares as a program
  bool is_served = false;           ///< a server or a model runner imports the module and calls its functions
  std::uint32_t header_offset = 0;  ///< Python: byte offset in the code where lines can be inserted, after shebang,
                                    ///< encoding, docstring and `from __future__`, before all other statements
  std::optional<Range> parse_error{};  ///< the first syntax error; empty if the file parses
  /// For a symbolic link to another file of the project: path of that file, where findings are reported. Otherwise
  /// empty.
  std::filesystem::path link_target{};

  /// Returns the module's body.
  const Function& body() const { return functions.front(); }
  /// Returns the function whose Function::key is `key`, such as "Class.name"; null if there is none.
  const Function* find_function(std::string_view key) const;
};

}  // namespace weir::audit
