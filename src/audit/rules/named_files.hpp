#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "audit/project/project.hpp"

namespace weir::audit {

/// Finds files of a project that run with the same environment variables because one file names the other: "bash
/// inner.sh", ". ./env.sh", "python -m tools.train". A file counts as named if the text of another file contains its
/// name as a word (Python: the name without ".py", or the folder's name for a __main__.py), so the results may include
/// too many files. The project must outlive the object. Not thread-safe.
class NamedFiles {
 public:
  explicit NamedFiles(const Project& project) : project_{project} {}

  /// Returns whether the module, or a file that it names directly or indirectly, contains the text `word`. For a shell
  /// script this includes the scripts that name it directly or indirectly, and all files that these scripts name.
  /// `module` is one of the project's; `word` must outlive the object.
  bool related_file_contains(const Module& module, std::string_view word);

 private:
  using Indices = std::vector<std::size_t>;  ///< indices of modules of the project
  /// Fills named_files_ and named_by_.
  void read_names();
  /// Fills named_files_ for one file. `by_stem`: indices of all files, by the word that names the file in a text.
  void add_names_in(std::size_t file, const std::multimap<std::string_view, std::size_t>& by_stem);
  /// Returns for each file whether it is in `pending` or can be reached from there; `edges` contains the next files of
  /// each file.
  std::vector<bool> reachable_files(Indices pending, const std::vector<Indices>& edges) const;
  bool is_script(std::size_t file) const { return project_.modules()[file].kind == FileKind::shell; }

  const Project& project_;
  std::vector<Indices> named_files_;  ///< for each file: the files that its text names
  std::vector<Indices> named_by_;     ///< for each file: if it is a shell script, the shell scripts that name it
  std::map<std::string_view, std::vector<bool>> files_with_word_;  ///< for each word: which files contain it
};

}  // namespace weir::audit
