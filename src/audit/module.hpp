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

/// What kind of file it is; decides the reader.
enum class FileKind { python, notebook, powershell, shell, cpp, yaml, json, toml, dockerfile, dotenv, systemd, batch };

/// Names and what they stand for.
using NamedValues = std::map<std::string, Value, std::less<>>;
/// What the modules have that one imports, by their names as it writes them.
using ImportedNames = std::map<std::string, NamedValues, std::less<>>;

/// The grammar that the code of such a file is parsed by; none for those that are read line by line, and are only reported on.
std::optional<Language> code_language(FileKind kind);

/// What a reader found in one file: everything that rules look at. Read-only once made.
struct Module {
  FileKind kind;
  SourceFile source;
  std::vector<Function> functions{};  ///< the first is the body
  std::map<std::string, std::vector<std::string>>
      base_classes{};  ///< of its classes: names of its own, or full dotted ones
  std::map<std::string, Value, std::less<>>
      attributes{};              ///< "Class.attribute", in terms of the constructor's parameters
  NamedValues exported_names{};  ///< what others may import from it, as far as it is known
  std::string imports_text{};    ///< the names of other modules that its values were read with, as a text
  std::set<std::string> overwritten_attributes{};  ///< attributes that it gives to other modules
  bool is_entry_point = false;      ///< is run, not only imported: has a main part, a shebang, or is a script by kind
  bool is_served = false;           ///< a server or a runner imports it and calls what it holds
  std::uint32_t header_offset = 0;  ///< where a line may be put before all other code
  std::optional<Range> parse_error{};  ///< does not parse there
  /// The file of the project that this one is a symbolic link to, where everything is told; empty if it is none.
  std::filesystem::path link_target{};

  const Function& body() const { return functions.front(); }
  const Function* find_function(std::string_view key) const;
};

}  // namespace weir::audit
