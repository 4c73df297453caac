#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "audit/project/project.hpp"

namespace weir::audit {

/// Which files of a project run in one environment because one names the other: "bash inner.sh", ". ./env.sh", "python -m tools.train".
/// Told by their names among the words of the texts, so rather too many than too few. Answers for one project, which must stand as long.
/// One thread.
class NamedFiles {
 public:
  explicit NamedFiles(const Project& project) : project_{project} {}

  /// The word stands in a file that the module starts, perhaps through others; of a shell script also in one that sources or starts it,
  /// and in what that one starts.
  bool related_file_contains(const Module& module, std::string_view word);

 private:
  using Indices = std::vector<std::size_t>;
  void read_names();
  void add_names_in(std::size_t file, const std::multimap<std::string_view, std::size_t>& by_stem);
  std::vector<bool> reachable_files(Indices pending, const std::vector<Indices>& edges) const;
  bool is_script(std::size_t file) const { return project_.modules()[file].kind == FileKind::shell; }

  const Project& project_;
  std::vector<Indices> named_files_;                               ///< by file: the files that it names
  std::vector<Indices> named_by_;                                  ///< by script: the scripts that name it
  std::map<std::string_view, std::vector<bool>> files_with_word_;  ///< by word: the files with it
};

}  // namespace weir::audit
