#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/item_reporter.hpp"

namespace weir::cli {

/// Reports the result of each picture of a run: as text on standard error and, with --json, as JSON on standard output.
class BatchReporter final : public ItemReporter {
 public:
  using ItemReporter::ItemReporter;
  void on_item_result(const jobs::Item& item, const jobs::ItemResult& result) override;
  /// Reports the totals at the end of a run. Prints nothing about a run of a single item.
  void summary(const jobs::Totals& totals);

 private:
  std::string progress_text(const jobs::RunProgress& progress, int columns) const override;
  /// Logs the result, damage and notes of an item.
  void log_result(const jobs::Item& item, const jobs::ItemResult& result);
  /// Adds the lost data of an item to `loss_counts_`.
  void count_losses(const jobs::ItemResult& result);

  /// Counts a picture that is done in the entry of its network in `network_uses_`.
  void count_network(const jobs::ItemResult& result);
  std::string networks_text() const;  ///< ", with weir-2x (2x)"; empty if no picture was done

  /// A network with which pictures of this run were done.
  struct NetworkUse {
    std::string name;
    int scale = 0;
    std::optional<int> noise;
    std::size_t items = 0;  ///< number of pictures done with it
  };
  std::vector<NetworkUse> network_uses_;
  std::map<std::string, std::size_t> loss_counts_;  // number of pictures for each kind of lost data (tasks::lost_kind)
};

}  // namespace weir::cli
