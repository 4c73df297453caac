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
  void ended(const jobs::Item& item, const jobs::ItemEnd& end) override;
  /// At the end of a run.
  void summary(const jobs::Totals& totals);

 private:
  std::string progress_text(const jobs::RunProgress& progress, int columns) const override;
  void tell(const jobs::Item& item, const jobs::ItemEnd& end);
  void count_lost(const jobs::ItemEnd& end);

  std::map<std::string, std::size_t> lost_;  // in how many pictures, by what
  void count_network(const jobs::ItemEnd& end);
  std::string networks_text() const;  ///< ", with weir-2x (2x)"; empty if no picture was done

  /// A network, and how many pictures of this run were done with it.
  struct Used {
    std::string name;
    int scale = 0;
    std::optional<int> noise;
    std::size_t items = 0;
  };
  std::vector<Used> networks_;
};

}  // namespace weir::cli
