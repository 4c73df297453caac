#include "audit/source/file_list.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <tuple>
#include <vector>

#include <fmt/format.h>

#include "audit/policy.hpp"
#include "audit/source/ignore_file.hpp"
#include "audit/source/tracked_files.hpp"
#include "base/text.hpp"

namespace weir::audit {
namespace {

namespace fs = std::filesystem;

struct Extension {
  std::string_view text;
  FileKind kind;
};
constexpr std::array kExtensions{
    Extension{".py", FileKind::python},       Extension{".pyw", FileKind::python},
    Extension{".ipynb", FileKind::notebook},  Extension{".ps1", FileKind::powershell},
    Extension{".psm1", FileKind::powershell}, Extension{".sh", FileKind::shell},
    Extension{".bash", FileKind::shell},      Extension{".sbatch", FileKind::shell},
    Extension{".slurm", FileKind::shell},     Extension{".c", FileKind::cpp},
    Extension{".cc", FileKind::cpp},          Extension{".cpp", FileKind::cpp},
    Extension{".cxx", FileKind::cpp},         Extension{".h", FileKind::cpp},
    Extension{".hpp", FileKind::cpp},         Extension{".cu", FileKind::cpp},
    Extension{".cuh", FileKind::cpp},         Extension{".yaml", FileKind::yaml},
    Extension{".yml", FileKind::yaml},        Extension{".json", FileKind::json},
    Extension{".toml", FileKind::toml},       Extension{".dockerfile", FileKind::dockerfile},
    Extension{".env", FileKind::dotenv},      Extension{".service", FileKind::systemd},
    Extension{".bat", FileKind::batch},       Extension{".cmd", FileKind::batch},
};

std::optional<FileKind> kind_by_name(const fs::path& path) {
  const std::string name = path.filename().native();
  if (name.starts_with("Dockerfile") || name.starts_with("Containerfile")) return FileKind::dockerfile;
  if (name == ".env" || name.starts_with(".env.")) return FileKind::dotenv;
  const std::string extension = path.extension().native();
  const auto* found =
      std::find_if(kExtensions.begin(), kExtensions.end(), [&](const Extension& e) { return e.text == extension; });
  return found == kExtensions.end() ? std::nullopt : std::optional{found->kind};
}

/// Returns whether the folder belongs to a tool or contains code of others: a cache, installed packages, a virtual
/// environment, a submodule.
bool is_third_party(const fs::path& folder) {
  constexpr std::array<std::string_view, 9> kNames{".git",        ".hg",  ".svn", "node_modules", "site-packages",
                                                   "__pycache__", ".tox", ".nox", ".mypy_cache"};
  const std::string name = folder.filename().native();
  std::error_code ignored;
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end() || fs::exists(folder / "pyvenv.cfg", ignored) ||
         fs::exists(folder / ".git", ignored);
}

/// A symbolic link to a folder.
struct FolderLink {
  std::string name;  ///< name in messages
  fs::path path;
};

/// Lists the files below one operand. A file has three paths: `shown` for messages, `real` whose folders are no
/// links, and `relative` to the operand, which the exclude patterns match.
class FolderWalk {
 public:
  FolderWalk(const std::vector<std::string>& exclude, FileList& list, std::vector<FolderLink>& links)
      : exclude_{exclude}, list_{list}, links_{links} {}

  /// Lists the files below a folder. Also applies the .gitignore files of the folders above, up to the root of the
  /// repository.
  void list_folder(const fs::path& root) {
    constexpr std::size_t kMaxFoldersAbove = 64;
    std::error_code problem;
    std::vector<fs::path> folders_above;
    fs::path folder = fs::weakly_canonical(root, problem);
    base_ = folder;
    if (!fs::exists(folder / ".git", problem)) {
      for (fs::path up = folder.parent_path(); up != up.parent_path() && folders_above.size() < kMaxFoldersAbove;
           up = up.parent_path()) {
        folders_above.push_back(up);
        if (fs::exists(up / ".git", problem)) {
          for (auto at = folders_above.rbegin(); at != folders_above.rend(); ++at) push_ignore(*at);
          break;
        }
      }
    }
    const fs::path shown = root.lexically_normal();
    enter(shown == "." ? fs::path{} : shown, folder, /*relative=*/{}, /*ignored=*/false);
  }

 private:
  /// A .gitignore and its folder.
  struct Ignore {
    IgnoreFile file;
    fs::path folder;
  };

  /// Reads the .gitignore of a folder, if there is one. It applies until the walk leaves the folder.
  void push_ignore(const fs::path& folder) {
    std::error_code problem;
    if (fs::exists(folder / ".gitignore", problem))
      ignores_.push_back({IgnoreFile::read(folder / ".gitignore"), folder});
  }

  /// Returns whether the patterns of the innermost .gitignore with a match ignore the path.
  bool matches_gitignore(const fs::path& real, bool is_folder) const {
    for (auto at = ignores_.rbegin(); at != ignores_.rend(); ++at) {
      const std::string relative = real.native().substr(at->folder.native().size() + (at->folder == "/" ? 0 : 1));
      const auto answer = at->file.match(relative, is_folder);
      if (answer != IgnoreFile::Match::none) return answer == IgnoreFile::Match::ignored;
    }
    return false;
  }

  const TrackedFiles& tracked() {
    if (!tracked_) tracked_ = TrackedFiles::list_below(base_);
    return *tracked_;
  }

  /// Returns whether git ignores the path: a .gitignore ignores it or a folder above it, and git does not track the
  /// file, or tracks no file in the folder. `ignored` must be true if a folder above is ignored; it becomes true if the
  /// path itself is ignored.
  bool is_ignored_by_git(const fs::path& real, bool is_folder, bool& ignored) {
    ignored = ignored || matches_gitignore(real, is_folder);
    return ignored && !(is_folder ? tracked().contains_below(real) : tracked().contains(real));
  }

  /// Lists the files below a folder, down to kMaxDepth nested levels. `ignored`: a .gitignore ignores the folder.
  void enter(const fs::path& shown, const fs::path& real, const std::string& relative, bool ignored) {
    constexpr int kMaxDepth = 100;
    if (++depth_ > kMaxDepth) return void(--depth_);
    const std::size_t outer_ignore_count = ignores_.size();
    push_ignore(real);
    std::error_code problem;
    std::vector<fs::directory_entry> entries;
    for (fs::directory_iterator at{real, problem}, end; !problem && at != end; at.increment(problem))
      entries.push_back(*at);
    if (problem)
      list_.problems.push_back(
          fmt::format("{}: cannot be read: {}", shown.empty() ? "." : printable(shown.native()), problem.message()));
    for (const auto& entry : entries) {
      const fs::path name = entry.path().filename();
      const std::string below = relative.empty() ? name.native() : relative + '/' + name.native();
      visit(entry, shown / name, real / name, below, ignored);
    }
    ignores_.resize(outer_ignore_count);
    --depth_;
  }

  /// Lists one entry of a folder: a file, or all files below a folder. Notes a link to a folder.
  void visit(const fs::directory_entry& entry, const fs::path& shown, const fs::path& real, const std::string& relative,
             bool ignored) {
    std::error_code problem;
    const bool is_folder = entry.is_directory(problem);
    const bool is_link = entry.is_symlink(problem);
    const bool matches_exclude = std::any_of(exclude_.begin(), exclude_.end(), [&](const std::string& pattern) {
      return matches_pattern(pattern, relative);
    });
    if (matches_exclude || is_ignored_by_git(real, is_folder, ignored)) return;
    if (is_link && is_folder) {
      if (!is_third_party(fs::weakly_canonical(real, problem))) links_.push_back({shown.native(), real});
      return;
    }
    if (is_folder) {
      if (!is_third_party(real)) enter(shown, real, relative, ignored);
      return;
    }
    if (const auto kind = detect_file_kind(real)) list_.files.push_back({real, shown.native(), *kind, {}});
  }

  const std::vector<std::string>& exclude_;
  FileList& list_;
  std::vector<FolderLink>& links_;
  fs::path base_;                          ///< real path of the operand
  std::optional<TrackedFiles> tracked_{};  ///< read when the first path is ignored
  std::vector<Ignore> ignores_;
  int depth_ = 0;
};

}  // namespace

std::optional<FileKind> detect_file_kind(const fs::path& path) {
  if (const auto kind = kind_by_name(path)) return kind;
  std::error_code problem;
  if (path.has_extension() || !fs::is_regular_file(path, problem)) return std::nullopt;
  std::ifstream file{path, std::ios::binary};
  char head[128] = {};
  file.read(head, sizeof head - 1);
  std::string_view first{head, static_cast<std::size_t>(file.gcount())};
  if (first.starts_with("\xEF\xBB\xBF")) first.remove_prefix(3);
  if (!first.starts_with("#!")) return std::nullopt;
  const std::string_view line = first.substr(0, first.find('\n'));
  if (line.find("python") != std::string_view::npos) return FileKind::python;
  if (line.find("pwsh") != std::string_view::npos) return FileKind::powershell;
  return line.find("sh") != std::string_view::npos ? std::optional{FileKind::shell} : std::nullopt;
}

namespace {

/// Sets ListedFile::link_target. A file that is listed under several names has one main name: the name that is no
/// symbolic link, or the first name if all are links. The others are links to the main name.
void set_link_targets(std::vector<ListedFile>& files) {
  std::map<fs::path, const ListedFile*> main_files;
  std::vector<fs::path> targets(files.size());
  std::error_code problem;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (fs::is_symlink(files[i].path, problem)) targets[i] = fs::canonical(files[i].path, problem);
    if (targets[i].empty()) main_files.emplace(files[i].path, &files[i]);
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (targets[i].empty()) continue;
    const auto [main_file, inserted] = main_files.emplace(targets[i], &files[i]);
    if (!inserted) files[i].link_target = main_file->second->path;
  }
}

bool is_below(const fs::path& path, const fs::path& folder) {
  return path == folder || (folder == "/") || path.native().starts_with(folder.native() + '/');
}

/// Adds a note for each link to a folder that is not below one of the operands (`roots`).
void note_folder_links(const std::vector<FolderLink>& links, const std::vector<fs::path>& roots, FileList& list) {
  for (const FolderLink& link : links) {
    std::error_code problem;
    const fs::path target = fs::canonical(link.path, problem);
    const bool is_listed =
        std::any_of(roots.begin(), roots.end(), [&](const fs::path& root) { return is_below(target, root); });
    if (!problem && !is_listed)
      list.notes.push_back(
          fmt::format("{}: a link to the folder {} is not followed", printable(link.name), printable(target.native())));
  }
  std::sort(list.notes.begin(), list.notes.end());
}

}  // namespace

Result<FileList> list_files(const std::vector<std::string>& operands, const std::vector<std::string>& exclude) {
  FileList list;
  std::vector<FolderLink> links;
  std::vector<fs::path> roots;
  for (const std::string& operand : operands) {
    std::error_code problem;
    const fs::path path{operand};
    const auto status = fs::status(path, problem);
    if (!fs::exists(status))
      return Error{Errc::invalid_argument, fmt::format("{}: there is no such file or folder", printable(operand))};
    if (fs::is_directory(status)) {
      FolderWalk{exclude, list, links}.list_folder(path);
      roots.push_back(fs::weakly_canonical(path, problem));
      continue;
    }
    const auto kind = detect_file_kind(path);
    if (!kind)
      return Error{Errc::invalid_argument, fmt::format("{}: is of no kind that weir audit reads", printable(operand))};
    list.files.push_back({fs::weakly_canonical(path, problem), path.lexically_normal().native(), *kind, {}});
  }
  std::sort(list.files.begin(), list.files.end(),
            [](const auto& a, const auto& b) { return std::tie(a.path, a.name) < std::tie(b.path, b.name); });
  const auto same = [](const auto& a, const auto& b) { return a.path == b.path; };
  list.files.erase(std::unique(list.files.begin(), list.files.end(), same), list.files.end());
  set_link_targets(list.files);
  note_folder_links(links, roots, list);
  return list;
}

}  // namespace weir::audit
