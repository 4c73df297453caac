#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/event.hpp"
#include "audit/source/source_file.hpp"

namespace weir::audit {

/// What kind of file it is; decides the reader.
enum class FileKind { python, notebook, powershell, shell, cpp, yaml, json, toml, dockerfile, dotenv, systemd, batch };

/// What a reader found in one file: everything that rules look at. Read-only once made.
struct Module {
  FileKind kind;
  SourceFile source;
  std::vector<Function> functions{};                        ///< the first is the body
  std::map<std::string, std::vector<std::string>> bases{};  ///< of its classes: names of its own, or full dotted ones
  bool entry_point = false;      ///< is run, not only imported: has a main part, a shebang, or is a script by kind
  std::uint32_t header_at = 0;   ///< where a line may be put before all other code
  std::optional<Range> error{};  ///< does not parse there

  const Function& body() const { return functions.front(); }
  const Function* find_function(std::string_view key) const;
};

}  // namespace weir::audit
