#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "audit/module.hpp"
#include "base/result.hpp"

namespace weir::audit {

struct ListedFile {
  std::filesystem::path path;
  std::string name;  ///< as messages call it: below the operand, without "./"
  FileKind kind;
  std::filesystem::path link_target{};  ///< the one of the files that it is a link to; empty if it is none
};

struct FileList {
  std::vector<ListedFile> files;      ///< by name
  std::vector<std::string> problems;  ///< folders that cannot be read, one line each
  std::vector<std::string> notes;     ///< links to folders elsewhere, which were not followed, one line each
};

/// Files of known kinds below the operands: what `exclude` and .gitignore files name is left out (not what git tracks all the
/// same), and so are .git, submodules, installed packages and virtual environments. Links to folders are not followed, and told
/// where the folder is not read in its own place. A file that is given by name is always taken. Errors: invalid_argument when an operand does not exist or has no known kind.
Result<FileList> list_files(const std::vector<std::string>& operands, const std::vector<std::string>& exclude);

/// By its name, or by its first line where the name says nothing.
std::optional<FileKind> detect_file_kind(const std::filesystem::path& path);

}  // namespace weir::audit
