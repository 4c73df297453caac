#include "tasks/command_template.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weir::tasks {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kOut = "{out}";

/// What may stand in the ending of a name: letters, digits and ".-_"; a dot at the very end ends a sentence.
std::string_view ending_at(std::string_view rest) {
  if (!rest.starts_with('.')) return {};
  std::size_t length = 0;
  while (length < rest.size() && (std::isalnum(static_cast<unsigned char>(rest[length])) != 0 ||
                                  std::string_view{".-_"}.find(rest[length]) != std::string_view::npos))
    ++length;
  while (length > 0 && rest[length - 1] == '.') --length;
  return rest.substr(0, length);
}

/// The inner name of the file with this ending.
std::string name_of_output(std::size_t number) { return fmt::format("out {}", number); }

}  // namespace

Result<CommandTemplate> CommandTemplate::make(const std::vector<std::string>& words, bool has_variants) {
  CommandTemplate made;
  for (const std::string& word : words) {
    if (!has_variants && word.find("{variant}") != std::string::npos)
      return Error{Errc::invalid_argument, fmt::format("'{}' names a variant, but there is no --variants", printable(word))};
    std::string rewritten;
    std::size_t done = 0;
    for (std::size_t at = word.find(kOut); at != std::string::npos; at = word.find(kOut, done)) {
      const std::string_view rest = std::string_view{word}.substr(at + kOut.size());
      if (rest.starts_with('/'))
        return Error{Errc::invalid_argument, fmt::format("'{}': {{out}} is one file and no folder", printable(word))};
      const std::string ending{ending_at(rest)};
      auto known = std::find(made.endings_.begin(), made.endings_.end(), ending);
      if (known == made.endings_.end()) known = made.endings_.insert(known, ending);
      rewritten += word.substr(done, at - done);
      rewritten += '{' + name_of_output(static_cast<std::size_t>(known - made.endings_.begin())) + '}';
      done = at + kOut.size() + ending.size();
    }
    made.words_.push_back(rewritten + word.substr(done));
  }
  return made;
}

std::vector<fs::path> CommandTemplate::outputs(const fs::path& folder, const std::string& item) const {
  std::vector<fs::path> paths;
  for (const std::string& ending : endings_) {
    fs::path path = folder / place_of(item);
    if (!ending.empty()) {
      path.replace_extension();
      path += ending;
    }
    paths.push_back(std::move(path));
  }
  return paths;
}

Names CommandTemplate::names(const std::string& item, const std::vector<fs::path>& made) const {
  const fs::path path{item};
  const fs::path plain = path.has_filename() ? path : path.parent_path();  // "folder/"
  Names names{{"", item}, {".", fs::path{plain}.replace_extension().native()}, {"/", plain.filename().native()}};
  for (std::size_t i = 0; i < made.size(); ++i) names.emplace_back(name_of_output(i), made[i].native());
  return names;
}

fs::path place_of(const std::string& item) {
  fs::path place;
  for (const fs::path& part : fs::path{item}.lexically_normal().relative_path()) {
    if (part.empty() || part == ".") continue;
    place /= part == ".." ? fs::path{"_up_"} : part;
  }
  return place.empty() ? fs::path{"_root_"} : place;
}

}  // namespace weir::tasks
