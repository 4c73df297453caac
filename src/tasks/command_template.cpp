#include "tasks/command_template.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weir::tasks {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kOutPlaceholder = "{out}";

/// Returns the extension at the start of `rest`: a dot and the letters, digits and characters of ".-_" after it. Dots
/// at its end do not belong to it, since they may end a sentence. Empty if `rest` starts with no extension.
std::string_view extension_at(std::string_view rest) {
  if (!rest.starts_with('.')) return {};
  std::size_t length = 0;
  while (length < rest.size() && (std::isalnum(static_cast<unsigned char>(rest[length])) != 0 ||
                                  std::string_view{".-_"}.find(rest[length]) != std::string_view::npos))
    ++length;
  while (length > 0 && rest[length - 1] == '.') --length;
  return rest.substr(0, length);
}

/// Returns the internal placeholder name of the output with this index in output_paths(): "out 0" for {out 0}.
std::string name_of_output(std::size_t index) { return fmt::format("out {}", index); }

}  // namespace

Result<CommandTemplate> CommandTemplate::make(const std::vector<std::string>& arguments, bool has_variants) {
  CommandTemplate made;
  // Replaces each {out} and the extension after it by the placeholder of that output.
  for (const std::string& argument : arguments) {
    if (!has_variants && argument.find("{variant}") != std::string::npos)
      return Error{Errc::invalid_argument,
                   fmt::format("'{}' names a variant, but there is no --variants", printable(argument))};
    std::string rewritten;
    std::size_t copied = 0;  // characters of the argument that `rewritten` contains already
    for (std::size_t start = argument.find(kOutPlaceholder); start != std::string::npos;
         start = argument.find(kOutPlaceholder, copied)) {
      const std::string_view rest = std::string_view{argument}.substr(start + kOutPlaceholder.size());
      if (rest.starts_with('/'))
        return Error{Errc::invalid_argument,
                     fmt::format("'{}': {{out}} is one file and no folder", printable(argument))};
      const std::string extension{extension_at(rest)};
      auto extension_entry = std::find(made.extensions_.begin(), made.extensions_.end(), extension);
      if (extension_entry == made.extensions_.end())
        extension_entry = made.extensions_.insert(extension_entry, extension);
      rewritten += argument.substr(copied, start - copied);
      rewritten += '{' + name_of_output(static_cast<std::size_t>(extension_entry - made.extensions_.begin())) + '}';
      copied = start + kOutPlaceholder.size() + extension.size();
    }
    made.arguments_.push_back(rewritten + argument.substr(copied));
  }
  return made;
}

std::vector<fs::path> CommandTemplate::output_paths(const fs::path& folder, const std::string& item) const {
  std::vector<fs::path> paths;
  for (const std::string& extension : extensions_) {
    fs::path path = folder / relative_output_path(item);
    if (!extension.empty()) {
      path.replace_extension();
      path += extension;
    }
    paths.push_back(std::move(path));
  }
  return paths;
}

PlaceholderValues CommandTemplate::placeholder_values(const std::string& item,
                                                      const std::vector<fs::path>& outputs) const {
  const fs::path path{item};
  const fs::path without_slash = path.has_filename() ? path : path.parent_path();  // "folder" for the item "folder/"
  PlaceholderValues values{{"", item},
                           {".", fs::path{without_slash}.replace_extension().native()},
                           {"/", without_slash.filename().native()}};
  for (std::size_t i = 0; i < outputs.size(); ++i) values.emplace_back(name_of_output(i), outputs[i].native());
  return values;
}

fs::path relative_output_path(const std::string& item) {
  fs::path relative;
  for (const fs::path& part : fs::path{item}.lexically_normal().relative_path()) {
    if (part.empty() || part == ".") continue;
    relative /= part == ".." ? fs::path{"_up_"} : part;
  }
  return relative.empty() ? fs::path{"_root_"} : relative;
}

}  // namespace weir::tasks
