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

enum Kind : std::size_t { kShort, kFull, kHashed };
using Candidates = std::array<fs::path, 3>;

/// Equal for names that a file system without regard to case may keep as one.
std::string folded(const fs::path& path) {
  std::string text = path.lexically_normal().native();
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  return text;
}

/// Of where the input lies and where it goes. Links to a file keep their own names, so two of them have two hashes.
std::string hash_of(const NamingInput& input) {
  const std::string identity = file_identity(input.path.has_parent_path() ? input.path.parent_path() : fs::path{"."}) +
                               '/' + input.path.filename().native() + '\0' + input.relative_path.native();
  return fmt::format("~{:016x}", XXH3_64bits(identity.data(), identity.size()));
}

class NameChooser {
 public:
  NameChooser(std::span<const NamingInput> inputs, const fs::path& folder, const OutputOriginLookup& find_origin)
      : inputs_{inputs}, folder_{folder}, find_origin_{find_origin}, chosen_(inputs.size()) {
    names_.reserve(inputs.size());
    for (const NamingInput& input : inputs) {
      const fs::path full = fit_file_name(input.relative_path.filename().native(), input.output_extension);
      names_.push_back({short_output_name(input, folder), folder / input.relative_path.parent_path() / full, {}});
      input_identities_.insert(input.identity);
      const Candidates& names = names_.back();
      ++shorts_[folded(names[kShort])];
      ++fulls_[folded(names[kFull])];
      if (has_own_name(input, names)) ++own_shorts_[folded(names[kShort])];
    }
  }

  std::vector<fs::path> choose() {
    for (std::size_t i = 0; i < inputs_.size(); ++i) assign_if_made(i, first_kind(i));
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      for (const Kind kind : {kShort, kFull, kHashed}) assign_if_made(i, kind);
    }
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      if (chosen_[i].empty()) assign(i, first_free_kind(i));
    }
    return std::move(chosen_);
  }

 private:
  static bool has_own_name(const NamingInput& input, const Candidates& names) {
    return names[kShort].filename() == input.relative_path.filename();
  }

  /// The hashed name is made when it is first asked for: few inputs need it.
  const fs::path& name(std::size_t i, Kind kind) {
    fs::path& name = names_[i][kind];
    if (!name.empty()) return name;
    const NamingInput& input = inputs_[i];
    const std::string file =
        fit_file_name(input.relative_path.filename().native() + hash_of(input), input.output_extension);
    return name = folder_ / input.relative_path.parent_path() / file;
  }

  bool can_have_short(std::size_t i) const {
    const std::string name = folded(names_[i][kShort]);
    const auto own = own_shorts_.find(name);
    return shorts_.at(name) == 1 ||
           (own != own_shorts_.end() && own->second == 1 && has_own_name(inputs_[i], names_[i]));
  }
  bool can_have_full(std::size_t i) const {
    const std::string name = folded(names_[i][kFull]);
    return fulls_.at(name) == 1 && !shorts_.contains(name);
  }
  /// By the inputs alone.
  Kind first_kind(std::size_t i) const {
    if (can_have_short(i)) return kShort;
    return can_have_full(i) ? kFull : kHashed;
  }
  Kind first_free_kind(std::size_t i) {
    if (can_have_short(i) && is_free(i, kShort)) return kShort;
    return can_have_full(i) && is_free(i, kFull) ? kFull : kHashed;
  }

  bool is_free(std::size_t i, Kind kind) {
    const fs::path& output = name(i, kind);
    if (taken_.contains(folded(output)) || find_origin_(i, output) == OutputOrigin::other_input) return false;
    const std::string identity = file_identity(output);
    return identity == inputs_[i].identity || !input_identities_.contains(identity);
  }

  void assign(std::size_t i, Kind kind) {
    chosen_[i] = name(i, kind);
    taken_.insert(folded(chosen_[i]));
    taken_exactly_.insert(chosen_[i].native());
  }
  /// Does nothing if the input has a name, or the name is another's, or it is not known as made from this input. What was
  /// made under names that differ in case alone was made on a file system that keeps them apart.
  void assign_if_made(std::size_t i, Kind kind) {
    if (!chosen_[i].empty() || taken_exactly_.contains(name(i, kind).native())) return;
    if (find_origin_(i, name(i, kind)) == OutputOrigin::this_input) assign(i, kind);
  }

  std::span<const NamingInput> inputs_;
  const fs::path& folder_;
  const OutputOriginLookup& find_origin_;
  std::vector<Candidates> names_;
  std::unordered_set<std::string> input_identities_;
  std::unordered_map<std::string, std::size_t> shorts_, fulls_, own_shorts_;  // how many inputs have a folded name
  std::unordered_set<std::string> taken_exactly_;
  std::unordered_set<std::string> taken_;  // folded
  std::vector<fs::path> chosen_;
};

}  // namespace

fs::path short_output_name(const NamingInput& input, const fs::path& folder) {
  const std::string stem =
      (input.has_picture_extension ? input.relative_path.stem() : input.relative_path.filename()).native();
  return folder / input.relative_path.parent_path() / fit_file_name(stem, input.output_extension);
}

std::vector<fs::path> choose_output_names(std::span<const NamingInput> inputs, const fs::path& folder,
                                          const OutputOriginLookup& find_origin) {
  return NameChooser{inputs, folder, find_origin}.choose();
}

}  // namespace weir::tasks
