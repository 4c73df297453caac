#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/item_reporter.hpp"

namespace weir::cli {

/// Tells people on standard error and machines on standard output what happens to each picture of a run.
class BatchReporter final : public ItemReporter {
 public:
  using ItemReporter::ItemReporter;
  void on_item_result(const jobs::Item& item, const jobs::ItemResult& result) override;
  /// At the end of a run.
  void summary(const jobs::Totals& totals);

 private:
  std::string progress_text(const jobs::RunProgress& progress, int columns) const override;
  void log_result(const jobs::Item& item, const jobs::ItemResult& result);
  void count_losses(const jobs::ItemResult& result);

  std::map<std::string, std::size_t> loss_counts_;  // in how many pictures, by what
  void count_network(const jobs::ItemResult& result);
  std::string networks_text() const;  ///< ", with weir-2x (2x)"; empty if no picture was done

  /// A network, and how many pictures of this run were done with it.
  struct NetworkUse {
    std::string name;
    int scale = 0;
    std::optional<int> noise;
    std::size_t items = 0;
  };
  std::vector<NetworkUse> network_uses_;
};

}  // namespace weir::cli
