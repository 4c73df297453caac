#pragma once

#include <set>
#include <string>

#include "cli/item_reporter.hpp"

namespace weir::parts {

/// Reports the films of a run: as text on standard error and, with --json, one JSON object per film on standard output.
/// Indexes and segments are only reported when they fail, or with --explain.
class FilmReporter final : public cli::ItemReporter {
 public:
  using ItemReporter::ItemReporter;
  void on_item_result(const jobs::Item& item, const jobs::ItemResult& result) override;
  /// Reports the totals at the end of a run.
  void summary(const jobs::Totals& totals);
  /// Returns whether an index, a segment or a film did not fit within the memory limit.
  bool lacked_memory() const { return lacked_memory_; }

 private:
  std::string progress_text(const jobs::RunProgress& progress, int columns) const override;
  void report_film(const jobs::Item& item, const jobs::ItemResult& result);
  void report_failure(const jobs::Item& item, const Error& error);
  void report_index(const jobs::Item& item, const jobs::ItemResult& result);

  std::set<std::string> failures_;  // texts of the reported failures of indexes and segments
  bool lacked_memory_ = false;
};

}  // namespace weir::parts
