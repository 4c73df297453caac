#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

namespace weir::test {

namespace fs = std::filesystem;

/// A temporary folder. The destructor removes the folder and its contents. In a child process that a test forked, it
/// removes nothing.
class Folder {
 public:
  explicit Folder(const fs::path& parent = fs::temp_directory_path()) {
    std::string name = (parent / "weir-test-XXXXXX").native();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    if (owner_ == getpid()) fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const fs::path& path() const { return path_; }
  fs::path operator/(const fs::path& name) const { return path_ / name; }

  /// Writes a file, and creates the folders above it.
  void put(const fs::path& name, const std::string& text) const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream{path_ / name, std::ios::binary} << text;
  }
  /// Returns the contents of a file; empty if it cannot be read.
  std::string text(const fs::path& name) const {
    std::ifstream file{path_ / name, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
  }
  /// Returns the sorted paths of all files and folders below the subfolder `below` (empty: below this folder), relative
  /// to it, including hidden ones. Returns an empty list if there is no such folder.
  std::vector<std::string> list_files(const fs::path& below = {}) const {
    std::vector<std::string> names;
    std::error_code none;
    for (const auto& entry : fs::recursive_directory_iterator{path_ / below, none})
      names.push_back(fs::relative(entry.path(), path_ / below).native());
    std::sort(names.begin(), names.end());
    return names;
  }

 private:
  fs::path path_;
  pid_t owner_ = getpid();
};

}  // namespace weir::test
