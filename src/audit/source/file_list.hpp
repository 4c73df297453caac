#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "audit/module.hpp"
#include "base/result.hpp"

namespace weir::audit {

/// A file that the audit reads.
struct ListedFile {
  std::filesystem::path path;
  std::string name;  ///< name in messages: the operand and, for a folder, the path below it; without "./"
  FileKind kind;
  std::filesystem::path link_target{};  ///< for a symbolic link to a file that has another entry: path of that entry;
                                        ///< otherwise empty
};

/// The files at or below the operands, which are the files and folders to be audited.
struct FileList {
  std::vector<ListedFile> files;      ///< ordered by path, each path once
  std::vector<std::string> problems;  ///< folders that cannot be read, one line each
  std::vector<std::string> notes;     ///< symbolic links to folders outside all operands, one line each
};

/// Lists the files of known kinds below the operands. Excludes files whose path below the operand matches `exclude`
/// (patterns of matches_pattern()), files that git ignores because of a .gitignore, .git folders, submodules, installed
/// packages, caches of tools, virtual environments and folders below the 100th level. A file that is itself an operand
/// is always included. Links to folders are not followed. Errors: invalid_argument (an operand does not exist, or is a
/// file of unknown kind).
Result<FileList> list_files(const std::vector<std::string>& operands, const std::vector<std::string>& exclude);

/// Returns the kind of a file: by its name, or by its first line ("#!/bin/sh") if its name has no ending. Nothing if
/// the audit does not read such files.
std::optional<FileKind> detect_file_kind(const std::filesystem::path& path);

}  // namespace weir::audit
