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
std::string hash_of(const NamedInput& input) {
  const std::string place = identity(input.path.has_parent_path() ? input.path.parent_path() : fs::path{"."}) + '/' +
                            input.path.filename().native() + '\0' + input.below.native();
  return fmt::format("~{:016x}", XXH3_64bits(place.data(), place.size()));
}

class Choice {
 public:
  Choice(std::span<const NamedInput> inputs, const fs::path& folder, const EarlierOutput& earlier)
      : inputs_{inputs}, folder_{folder}, earlier_{earlier}, chosen_(inputs.size()) {
    names_.reserve(inputs.size());
    for (const NamedInput& input : inputs) {
      const fs::path full = fit_name(input.below.filename().native(), input.extension);
      names_.push_back({short_output_name(input, folder), folder / input.below.parent_path() / full, {}});
      all_places_.insert(input.place);
      const Candidates& names = names_.back();
      ++shorts_[folded(names[kShort])];
      ++fulls_[folded(names[kFull])];
      if (keeps_its_name(input, names)) ++own_[folded(names[kShort])];
    }
  }

  std::vector<fs::path> choose() {
    for (std::size_t i = 0; i < inputs_.size(); ++i) take_if_made(i, first_kind(i));
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      for (const Kind kind : {kShort, kFull, kHashed}) take_if_made(i, kind);
    }
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      if (chosen_[i].empty()) take(i, first_free_kind(i));
    }
    return std::move(chosen_);
  }

 private:
  static bool keeps_its_name(const NamedInput& input, const Candidates& names) {
    return names[kShort].filename() == input.below.filename();
  }

  /// The hashed name is made when it is first asked for: few inputs need it.
  const fs::path& name(std::size_t i, Kind kind) {
    fs::path& name = names_[i][kind];
    if (!name.empty()) return name;
    const NamedInput& input = inputs_[i];
    const std::string file = fit_name(input.below.filename().native() + hash_of(input), input.extension);
    return name = folder_ / input.below.parent_path() / file;
  }

  bool may_have_short(std::size_t i) const {
    const std::string name = folded(names_[i][kShort]);
    const auto own = own_.find(name);
    return shorts_.at(name) == 1 || (own != own_.end() && own->second == 1 && keeps_its_name(inputs_[i], names_[i]));
  }
  bool may_have_full(std::size_t i) const {
    const std::string name = folded(names_[i][kFull]);
    return fulls_.at(name) == 1 && !shorts_.contains(name);
  }
  /// By the inputs alone.
  Kind first_kind(std::size_t i) const {
    if (may_have_short(i)) return kShort;
    return may_have_full(i) ? kFull : kHashed;
  }
  Kind first_free_kind(std::size_t i) {
    if (may_have_short(i) && is_free(i, kShort)) return kShort;
    return may_have_full(i) && is_free(i, kFull) ? kFull : kHashed;
  }

  bool is_free(std::size_t i, Kind kind) {
    const fs::path& output = name(i, kind);
    if (taken_.contains(folded(output)) || earlier_(i, output) == Earlier::of_another) return false;
    const std::string place = identity(output);
    return place == inputs_[i].place || !all_places_.contains(place);
  }

  void take(std::size_t i, Kind kind) {
    chosen_[i] = name(i, kind);
    taken_.insert(folded(chosen_[i]));
    taken_exactly_.insert(chosen_[i].native());
  }
  /// Does nothing if the input has a name, or the name is another's, or it is not known as made from this input. What was
  /// made under names that differ in case alone was made on a file system that keeps them apart.
  void take_if_made(std::size_t i, Kind kind) {
    if (!chosen_[i].empty() || taken_exactly_.contains(name(i, kind).native())) return;
    if (earlier_(i, name(i, kind)) == Earlier::of_this_input) take(i, kind);
  }

  std::span<const NamedInput> inputs_;
  const fs::path& folder_;
  const EarlierOutput& earlier_;
  std::vector<Candidates> names_;
  std::unordered_set<std::string> all_places_;
  std::unordered_map<std::string, std::size_t> shorts_, fulls_, own_;  // how many inputs have a folded name
  std::unordered_set<std::string> taken_exactly_;
  std::unordered_set<std::string> taken_;  // folded
  std::vector<fs::path> chosen_;
};

}  // namespace

fs::path short_output_name(const NamedInput& input, const fs::path& folder) {
  const std::string stem = (input.is_picture_name ? input.below.stem() : input.below.filename()).native();
  return folder / input.below.parent_path() / fit_name(stem, input.extension);
}

std::vector<fs::path> output_names(std::span<const NamedInput> inputs, const fs::path& folder,
                                   const EarlierOutput& earlier) {
  return Choice{inputs, folder, earlier}.choose();
}

}  // namespace weir::tasks
