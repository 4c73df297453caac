#include "base/closest_word.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace weir {
namespace {

constexpr std::size_t kMaxWordBytes = 64;  // longest word that is compared, in bytes
constexpr std::size_t kMaxEdits = 2;
constexpr std::size_t kMinPrefixLetters = 3;  // shortest start of a word that is completed, leading dashes not counted

/// Returns the number of letters to insert, remove, change or swap with the next one to get from `a` to `b`.
/// Source  F. Damerau, "A technique for computer detection and correction of spelling errors", CACM 7 (1964); the
///         variant that edits no part twice (optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  // d[i][j]: the distance between the first i letters of `a` and the first j letters of `b`
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change_cost = a[i - 1] == b[j - 1] ? 0 : 1;
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + change_cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

/// Returns the form that is compared: "metrics-file" for "Metrics_File".
std::string normalized(std::string_view word) {
  std::string text{word};
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '_') c = '-';
  }
  return text;
}

/// Returns the only known word that begins with `word`; empty if there is none or more than one.
std::string_view only_word_beginning_with(std::string_view word, std::span<const std::string_view> known) {
  std::string_view found;
  for (const std::string_view candidate : known) {
    if (!normalized(candidate).starts_with(normalized(word))) continue;
    if (!found.empty()) return {};
    found = candidate;
  }
  return found;
}

}  // namespace

std::string_view closest_word(std::string_view word, std::span<const std::string_view> known) {
  if (word.size() > kMaxWordBytes) return {};
  const std::size_t letters = word.size() - std::min(word.find_first_not_of('-'), word.size());
  std::size_t fewest_edits = std::min(kMaxEdits, letters / 3) + 1;  // a word must need fewer
  std::string_view nearest;
  for (const std::string_view candidate : known) {
    const std::size_t edits =
        candidate.size() > kMaxWordBytes ? fewest_edits : edit_distance(normalized(word), normalized(candidate));
    if (edits >= fewest_edits) continue;
    fewest_edits = edits;
    nearest = candidate;
  }
  return nearest.empty() && letters >= kMinPrefixLetters ? only_word_beginning_with(word, known) : nearest;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> known) {
  const std::string_view nearest = closest_word(word, known);
  return nearest.empty() ? std::string{} : fmt::format(" (did you mean '{}'?)", nearest);
}

}  // namespace weir
