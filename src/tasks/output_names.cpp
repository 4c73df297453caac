#include "tasks/output_names.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>
#include <xxhash.h>

#include "base/paths.hpp"

namespace weir::tasks {
namespace {

namespace fs = std::filesystem;

/// The three kinds of names that an input can get: see choose_output_names().
enum Kind : std::size_t { kShort, kFull, kHashed };
using Candidates = std::array<fs::path, 3>;  // the output path of an input for each Kind

/// Returns the path in lower case (ASCII). Names that a case-insensitive file system stores as one file become equal.
std::string folded(const fs::path& path) {
  std::string text = path.lexically_normal().native();
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  return text;
}

/// Returns "~" and a hash of the input's location and its relative output path. Symbolic links to a file are hashed by
/// their own paths, so two links have two hashes.
std::string hash_suffix(const NamingInput& input) {
  const std::string identity = file_identity(input.path.has_parent_path() ? input.path.parent_path() : fs::path{"."}) +
                               '/' + input.path.filename().native() + '\0' + input.relative_path.native();
  return fmt::format("~{:016x}", XXH3_64bits(identity.data(), identity.size()));
}

/// Implements choose_output_names(). `i` is the index of an input.
class NameChooser {
 public:
  NameChooser(std::span<const NamingInput> inputs, const fs::path& folder, const OutputOriginLookup& find_origin)
      : inputs_{inputs}, folder_{folder}, find_origin_{find_origin}, chosen_(inputs.size()) {
    candidates_.reserve(inputs.size());
    for (const NamingInput& input : inputs) {
      const fs::path full = fit_file_name(input.relative_path.filename().native(), input.output_extension);
      candidates_.push_back(
          {short_output_name(input, folder), folder / input.relative_path.parent_path() / full, /*hashed=*/{}});
      input_identities_.insert(input.identity);
      const Candidates& names = candidates_.back();
      ++short_counts_[folded(names[kShort])];
      ++full_counts_[folded(names[kFull])];
      if (has_own_name(input, names)) ++own_short_counts_[folded(names[kShort])];
    }
  }

  std::vector<fs::path> choose() {
    // Rule 1 of choose_output_names(): names of outputs that earlier runs made; first the name that rules 2 to 4 would give.
    for (std::size_t i = 0; i < inputs_.size(); ++i) assign_if_made(i, first_kind(i));
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      for (const Kind kind : {kShort, kFull, kHashed}) assign_if_made(i, kind);
    }
    // Rules 2 to 4.
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      if (chosen_[i].empty()) assign(i, first_free_kind(i));
    }
    return std::move(chosen_);
  }

 private:
  /// Returns true if the input itself is called like its output with the short name.
  static bool has_own_name(const NamingInput& input, const Candidates& names) {
    return names[kShort].filename() == input.relative_path.filename();
  }

  /// Returns the output path of the input with this kind of name. The hashed name is made at the first request, because
  /// few inputs need it.
  const fs::path& name(std::size_t i, Kind kind) {
    fs::path& name = candidates_[i][kind];
    if (!name.empty()) return name;
    const NamingInput& input = inputs_[i];
    const std::string file =
        fit_file_name(input.relative_path.filename().native() + hash_suffix(input), input.output_extension);
    return name = folder_ / input.relative_path.parent_path() / file;
  }

  bool can_have_short(std::size_t i) const {
    const std::string name = folded(candidates_[i][kShort]);
    const auto own_count = own_short_counts_.find(name);
    return short_counts_.at(name) == 1 ||
           (own_count != own_short_counts_.end() && own_count->second == 1 && has_own_name(inputs_[i], candidates_[i]));
  }
  bool can_have_full(std::size_t i) const {
    const std::string name = folded(candidates_[i][kFull]);
    return full_counts_.at(name) == 1 && !short_counts_.contains(name);
  }
  /// Returns the first kind of name that the input may have if there are no outputs of earlier runs.
  Kind first_kind(std::size_t i) const {
    if (can_have_short(i)) return kShort;
    return can_have_full(i) ? kFull : kHashed;
  }
  /// Returns the first kind of name that the input may have and whose path is free (is_free()).
  Kind first_free_kind(std::size_t i) {
    if (can_have_short(i) && is_free(i, kShort)) return kShort;
    return can_have_full(i) && is_free(i, kFull) ? kFull : kHashed;
  }

  /// Returns true if the path was not assigned yet, no earlier run made a file there from another input, and the path
  /// is not that of another input.
  bool is_free(std::size_t i, Kind kind) {
    const fs::path& output = name(i, kind);
    if (folded_assigned_paths_.contains(folded(output)) || find_origin_(i, output) == OutputOrigin::other_input)
      return false;
    const std::string identity = file_identity(output);
    return identity == inputs_[i].identity || !input_identities_.contains(identity);
  }

  void assign(std::size_t i, Kind kind) {
    chosen_[i] = name(i, kind);
    folded_assigned_paths_.insert(folded(chosen_[i]));
    assigned_paths_.insert(chosen_[i].native());
  }
  /// Assigns the name if an earlier run made that output from this input. Does nothing if the input already has a name,
  /// or the name is assigned to another input. Names that differ only in case are different here: if both outputs
  /// exist, the file system distinguishes them.
  void assign_if_made(std::size_t i, Kind kind) {
    if (!chosen_[i].empty() || assigned_paths_.contains(name(i, kind).native())) return;
    if (find_origin_(i, name(i, kind)) == OutputOrigin::this_input) assign(i, kind);
  }

  std::span<const NamingInput> inputs_;
  const fs::path& folder_;
  const OutputOriginLookup& find_origin_;
  std::vector<Candidates> candidates_;
  std::unordered_set<std::string> input_identities_;
  // Number of inputs for each path after folded(): that have it as their short name, that have it as their full name,
  // and that have it as their short name and are themselves called so (has_own_name()).
  std::unordered_map<std::string, std::size_t> short_counts_, full_counts_, own_short_counts_;
  std::unordered_set<std::string> assigned_paths_;         // without folded()
  std::unordered_set<std::string> folded_assigned_paths_;  // after folded()
  std::vector<fs::path> chosen_;
};

}  // namespace

fs::path short_output_name(const NamingInput& input, const fs::path& folder) {
  const std::string stem =
      (input.has_own_extension ? input.relative_path.stem() : input.relative_path.filename()).native();
  return folder / input.relative_path.parent_path() / fit_file_name(stem, input.output_extension);
}

std::vector<fs::path> choose_output_names(std::span<const NamingInput> inputs, const fs::path& folder,
                                          const OutputOriginLookup& find_origin) {
  return NameChooser{inputs, folder, find_origin}.choose();
}

}  // namespace weir::tasks
